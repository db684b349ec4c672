"""A gate for tests, that speaks the contract as gates in the wild do and misbehaves when told to."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from chatsubo.config.models import Endpoints, Gate
from chatsubo.config.secrets import Secret

TOKEN = "let me in"
WIREGUARD = "[Interface]\nPrivateKey = {key}\nAddress = 10.13.37.{number}/32\n[Peer]\nPublicKey = gate\n"


@dataclass
class FakeGate:
    """An ASGI application, independent of the platform's own gate.

    Attributes:
        places: How many players it has access for.
        header: Carries the token.
        full_status: What a full gate answers with: old WireGuard ones say 500.
        broken: Answers every call with this, whatever was asked.
    """

    places: int = 100
    header: str = "x-chatsubo-token"
    full_status: int = 200
    broken: tuple[int, bytes] | None = None
    players: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002
        """Answer a call."""
        self.asked.append(scope["raw_path"].decode())
        status, body = self._answer(scope)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, scope: Any) -> tuple[int, bytes]:
        if self.broken is not None:
            return self.broken
        if dict(scope["headers"]).get(self.header.encode()) != TOKEN.encode():
            return 401, b'{"errors": ["Unauthorized"]}'
        path = scope["path"]
        if path.rstrip("/") in {"/api/check", "/health"}:
            return 200, b'{"errors": []}'
        return self._config(path.rsplit("/", 1)[1])

    def _config(self, username: str) -> tuple[int, bytes]:
        if username not in self.players:
            if len(self.players) >= self.places:
                return self.full_status, b'{"errors": ["Realm is full"]}'
            self.players.append(username)
        number = self.players.index(username) + 2
        config = WIREGUARD.format(key=f"key-of-{username}", number=number)
        return 200, json.dumps({"errors": [], "config": config}).encode()


@dataclass
class Network:
    """Gates by host name, without a network; a name that nobody has cannot be reached."""

    gates: dict[str, FakeGate] = field(default_factory=dict)

    def client(self) -> httpx.AsyncClient:
        """Return a client that reaches the gates."""
        return httpx.AsyncClient(transport=_Transport(self.gates), trust_env=False)


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, gates: dict[str, FakeGate]) -> None:
        self._gates = gates

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        gate = self._gates.get(request.url.host)
        if gate is None:
            raise httpx.ConnectError("nobody there", request=request)
        return await httpx.ASGITransport(gate).handle_async_request(request)


def gate(host: str, realm: str = "wz01", token: str = TOKEN, **changes: Any) -> Gate:
    """Return the configuration of a gate."""
    return Gate(realm=realm, url=f"http://{host}:7474", token=Secret(token), **changes)


def endpoints(config: str, check: str = "/api/check") -> Endpoints:
    """Return where a gate's API is."""
    return Endpoints(config=config, check=check)
