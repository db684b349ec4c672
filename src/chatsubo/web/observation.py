"""What is noted of each request: a number, a line in the log, and the figures behind ``/metrics``."""

import time
from typing import Any, cast
from urllib.parse import quote
from uuid import uuid4

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from chatsubo.web.metrics import Metrics

_KEY = "chatsubo_request_id"
_QUIET = ("/healthz", "/readyz", "/metrics")
_log = structlog.get_logger("chatsubo.web")


def request_id(scope: Scope) -> str:
    """Return the number of a request: in the log, in the answer's ``X-Request-Id``, and on the page of a mistake."""
    return str(cast("dict[str, Any]", scope).get(_KEY, ""))


class Observation:
    """Notes each request. Query strings, cookies and bodies are never written down.

    Args:
        app: What comes next.
        metrics: Counts.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and note what became of it."""
        number = uuid4().hex[:16]
        cast("dict[str, Any]", scope)[_KEY] = number
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", number.encode())]
            await send(message)

        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=number):
            try:
                await self._app(scope, receive, noting)
            except Exception:
                if status:
                    raise
                _log.exception("broken", incident=number)
                await _last_resort(number, noting)
            finally:
                self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope.get("path_template") or "unmatched"
        method = cast("dict[str, Any]", scope)["method"]
        self._metrics.count(method, route, status, seconds)
        log = _log.debug if route.endswith(_QUIET) else _log.info
        address = (scope.get("client") or ("",))[0]
        path = quote(scope["path"][:256])  # a terminal would obey what control characters it holds
        log("request", method=method, path=path, status=status, ms=round(seconds * 1000), client=address)


async def _last_resort(number: str, send: Send) -> None:
    """Answer where even the page that tells about a mistake could not be made."""
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    body = f"Something broke on our side. Tell an organiser this number: {number}\n".encode()
    await send({"type": "http.response.body", "body": body, "more_body": False})
