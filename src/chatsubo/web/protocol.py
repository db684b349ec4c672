"""HTTP/1.1 as uvicorn and httptools speak it, with limits on what comes before a request's body.

Left alone, httptools collects headers of any length, and waits for them for any time.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEADER_BYTES = 64 * 1024
"""Counted once a request line and its headers do not come in one piece; a piece is as long as the socket gives."""

HEADER_SECONDS = 20.0
"""How long a connection may be open before the first request's headers are there, and how long others may take."""


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers are too long, or take too long to come."""

    _pending: int | None = None
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own type
        """Wait for the first request."""
        super().connection_made(transport)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._headers_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read ``data``; close where the headers have become too long."""
        before = self._pending
        super().data_received(data)
        if before is None or self._pending is None or self.transport.is_closing():
            return
        self._pending += len(data)
        if self._pending > MOST_HEADER_BYTES:
            self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n")
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._expect_headers()

    def on_headers_complete(self) -> None:
        """Stop counting: a body has limits of its own."""
        self._headers_came()
        super().on_headers_complete()

    def _expect_headers(self) -> None:
        self._pending = 0
        if self._timer is None:
            self._timer = self.loop.call_later(HEADER_SECONDS, self.timeout_keep_alive_handler)

    def _headers_came(self) -> None:
        self._pending = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
