"""The HTTP server: uvicorn, with limits of ours, that ends its event streams when it is told to stop."""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn

from chatsubo.domain.errors import ChatsuboError
from chatsubo.domain.text import N_
from chatsubo.live.bus import Bus
from chatsubo.web.protocol import BoundedProtocol
from chatsubo.web.settings import WebSettings

GRACE_SECONDS = 3
KEEP_ALIVE_SECONDS = 30
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class CannotListen(ChatsuboError):
    """The address is taken, or not this machine's."""

    code = "cannot-listen"
    message = N_(
        "The server cannot listen on {host}, port {port}: {reason}. Stop what uses it, or configure another one "
        "(server.host, server.port)."
    )


class Server(uvicorn.Server):
    """Serves until SIGINT or SIGTERM. ``serve()`` runs it; :attr:`ready` is set once it listens.

    Args:
        config: uvicorn's.
        bus: Is closed at the end, so that event streams do.

    Attributes:
        ready: Set when requests are accepted.
    """

    def __init__(self, config: uvicorn.Config, bus: Bus) -> None:
        super().__init__(config)
        self._bus = bus
        self.ready = asyncio.Event()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on: the port that was taken where any was asked for."""
        host, port, *_ = self.servers[0].sockets[0].getsockname()
        return host, port

    def stop(self) -> None:
        """Ask the server to end; asked a second time, it waits for nobody."""
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop at SIGINT and SIGTERM; uvicorn would raise the signal again afterwards, amid the others' cleaning up."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen.

        Raises:
            CannotListen: If the address is taken.
        """
        try:
            await super().startup(sockets)
        except SystemExit as stopped:  # which is how uvicorn says so
            if not isinstance(cause := stopped.__context__, OSError):
                raise
            reason = os.strerror(cause.errno or errno.EADDRINUSE)
            raise CannotListen(host=self.config.host, port=self.config.port, reason=reason) from cause
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the event streams, then wait for the other answers, for some seconds at most."""
        self._bus.close()
        await super().shutdown(sockets)


def make_server(application: Any, bus: Bus, settings: WebSettings, *, host: str, port: int) -> Server:
    """Return the server for ``application``.

    ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed only from the configured proxies. The log is ours.

    Args:
        application: What :func:`chatsubo.web.application.create_application` returned.
        bus: The event bus behind its streams.
        settings: Knows the trusted proxies.
        host: The address to listen on.
        port: The port to listen on; 0 takes any.
    """
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        loop="uvloop",
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return Server(config, bus)
