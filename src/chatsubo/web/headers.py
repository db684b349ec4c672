"""Headers that all answers carry, so that a browser does with them only what we meant."""

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from chatsubo.web.reader import is_logged_in
from chatsubo.web.settings import WebSettings

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_ALWAYS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_HSTS = "max-age=31536000"


class SafeHeaders:
    """Adds the headers to each answer, and keeps what a logged-in person sees out of caches.

    Args:
        app: What comes next.
        settings: Whether this is https.
    """

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        self._app = app
        headers = {**_ALWAYS, "strict-transport-security": _HSTS} if settings.secure else _ALWAYS
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and add the headers that the answer does not bring itself."""

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", ())}
                caching = b"no-store" if is_logged_in(scope) else b"private, no-cache"
                wanted = [*self._headers, (b"cache-control", caching)]
                added = [(name, value) for name, value in wanted if name not in present]
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        await self._app(scope, receive, adding)
