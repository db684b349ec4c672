"""Unit tests open no sockets: whoever tries is told so, and cannot mistake it for a network that is down."""

import socket
from typing import Any

import pytest


class SocketsAreForbidden(RuntimeError):
    """A unit test wanted the network; such a test belongs to tests/web, tests/lab or tests/real."""


def _guard(method: str) -> Any:
    original = getattr(socket.socket, method)

    def guarded(self: socket.socket, *args: Any) -> Any:
        # asyncio's own pair of sockets is of the Unix kind.
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            raise SocketsAreForbidden(f"{method}{args}")
        return original(self, *args)

    return guarded


def _no_lookup(*args: Any, **kwargs: Any) -> Any:
    raise SocketsAreForbidden(f"getaddrinfo{args}")


@pytest.fixture(autouse=True)
def _no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    for method in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, method, _guard(method))
    monkeypatch.setattr(socket, "getaddrinfo", _no_lookup)
