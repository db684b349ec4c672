"""How the server is, for those who watch it: ``/healthz``, ``/readyz`` and ``/metrics``."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency

from chatsubo.domain.errors import ChatsuboError, Forbidden
from chatsubo.web.dependencies import AnyRequest, TheSettings
from chatsubo.web.metrics import MEDIA_TYPE
from chatsubo.web.settings import WebSettings, is_loopback

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class Part(msgspec.Struct, frozen=True):
    """One part of the server: whether it works, and if not, why, in a few English words."""

    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the server says of itself.

    Attributes:
        parts: What must work for requests to be answered: the database, the lab, by name.
        sessions: How many live sessions there are, by state.
        providers: Whether each provider answers. One that is down does not make the server unready.
    """

    parts: Mapping[str, Part]
    sessions: Mapping[str, int] = field(default_factory=dict)
    providers: Mapping[str, bool] = field(default_factory=dict)


Health = Callable[[], Awaitable[Vitals]]
"""Looks at the server's parts; it may raise :class:`chatsubo.domain.errors.ChatsuboError` where one is away."""


class Readiness(msgspec.Struct, frozen=True):
    """The answer of ``/readyz``."""

    ready: bool
    parts: Mapping[str, Part]


class HealthController(Controller):
    """What probes and Prometheus ask for."""

    include_in_schema = False

    @get("/healthz")
    async def healthz(self) -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    @get("/readyz")
    async def readyz(self, health: NamedDependency[Any]) -> Response[Readiness]:
        """Say whether requests can be served, and which part is in the way if not."""
        vitals = await _look(health)
        ready = all(part.ok for part in vitals.parts.values())
        return Response(Readiness(ready, vitals.parts), status_code=200 if ready else 503)

    @get("/metrics")
    async def metrics(
        self,
        request: AnyRequest,
        health: NamedDependency[Any],
        metrics: NamedDependency[Any],
        settings: TheSettings,
    ) -> Response[bytes]:
        """Give the figures to this machine and to the bearer of the configured token.

        Raises:
            Forbidden: For everybody else.
        """
        if not (_is_this_machine(request) or _has_token(request, settings)):
            raise Forbidden
        vitals = await _look(health)
        return Response(metrics.text(vitals.sessions, vitals.providers), media_type=MEDIA_TYPE)


async def _look(health: Health) -> Vitals:
    try:
        return await health()
    except ChatsuboError as error:
        return Vitals({"database": Part(ok=False, detail=error.code)})


def _is_this_machine(request: AnyRequest) -> bool:
    """Return whether a program on this machine asks by itself, not a proxy on it for somebody else."""
    client = request.scope.get("client")
    if client is None or any(name in request.headers for name in _FORWARDED):
        return False
    return is_loopback(client[0])


def _has_token(request: AnyRequest, settings: WebSettings) -> bool:
    if settings.metrics_token is None:
        return False
    expected = f"Bearer {settings.metrics_token.reveal()}".encode()
    return hmac.compare_digest(request.headers.get("authorization", "").encode(), expected)
