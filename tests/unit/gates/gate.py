"""A gate for tests, that speaks the contract as gates in the wild do and misbehaves when told to.

With ``versioned`` it speaks the versioned API besides. The same tests are run on the real gate's application, so that
it cannot say anything else.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx

from chatsubo.config.models import Endpoints, Gate
from chatsubo.config.secrets import Secret

TOKEN = "let me in"
WIREGUARD = "[Interface]\nPrivateKey = {key}\nAddress = 10.13.37.{number}/32\n[Peer]\nPublicKey = gate\n"
Answer = tuple[int, Any]


@dataclass
class FakeGate:
    """An ASGI application, independent of the platform's own gate.

    Attributes:
        places: How many players it has access for.
        header: Carries the token.
        full_status: What a full gate answers with: old WireGuard ones say 500.
        broken: Answers every call with this, whatever was asked.
        config: The path below which it hands out configurations.
        versioned: Whether it knows the versioned API.
        hangs: Whether it answers nobody.
        blind: Whether it takes no picture.
        players: Who has an access.
        keys: How often each was given new keys.
        lines: Who is connected, since when in seconds since 1970.
        errors: What is wrong with it.
        ahead: How many seconds its clock is ahead.
        version: Of the picture that it holds.
        picture: Who may reach what.
        shown: Every picture's version that it took, in order.
        asked: The paths of all calls.
    """

    places: int = 100
    header: str = "x-chatsubo-token"
    full_status: int = 200
    broken: tuple[int, bytes] | None = None
    config: str = "/api/vpn/get/"
    versioned: bool = False
    hangs: bool = False
    blind: bool = False
    players: list[str] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    lines: dict[str, float] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    ahead: float = 0.0
    version: int = 0
    picture: dict[str, Any] = field(default_factory=dict)
    shown: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a call."""
        body = (await receive()).get("body", b"")
        self.asked.append(scope["raw_path"].decode())
        if self.hangs:
            await asyncio.Event().wait()
        status, answer = self._answer(scope, body)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": content})

    def reach(self, name: str) -> set[str]:
        """Return what a player may reach."""
        reach = self.picture.get(name, {})
        return {*reach.get("two_way", ()), *reach.get("one_way", ())}

    def _answer(self, scope: Any, body: bytes) -> Answer:
        if self.broken is not None:
            return self.broken
        if dict(scope["headers"]).get(self.header.encode()) != TOKEN.encode():
            return 401, {"errors": ["Unauthorized"]}
        path = scope["path"]
        if path.rstrip("/") in {"/api/check", "/health"}:
            return 200, {"errors": self.errors}
        if path.startswith(self.config):
            return self._config(path.rsplit("/", 1)[1])
        if self.versioned and path.startswith("/api/v1/"):
            return self._versioned(scope, path.removeprefix("/api/v1/"), body)
        return 404, b"<h1>Not Found</h1>"

    def _config(self, username: str) -> Answer:
        if username not in self.players:
            if len(self.players) >= self.places:
                return self.full_status, {"errors": ["Realm is full"]}
            self.players.append(username)
            self.keys[username] = self.keys.get(username, -1) + 1
        number = self.players.index(username) + 2
        key = f"key-of-{username}" + f"-{self.keys[username]}" * (self.keys[username] > 0)
        return 200, {"errors": [], "config": WIREGUARD.format(key=key, number=number)}

    def _versioned(self, scope: Any, path: str, body: bytes) -> Answer:
        what, _, name = path.partition("/")
        match scope["method"], what:
            case "GET", "health":
                return 200, self._health()
            case "GET", "peers":
                wanted = parse_qs(scope["query_string"].decode()).get("online") == ["true"]
                return 200, [self._peer(one) for one in self.players if not wanted or one in self.lines]
            case "POST", "configs" if name in self.players:
                self.keys[name] += 1
                self.lines.pop(name, None)
                return 201, self._config(name)[1]
            case "DELETE", "peers" if name in self.players:
                self.players.remove(name)
                self.lines.pop(name, None)
                return 204, b""
            case "PUT", "access":
                return self._show(json.loads(body))
        return 404, {"errors": ["there is no such thing"]}

    def _show(self, picture: Any) -> Answer:
        if self.blind:
            return 503, {"errors": ["the kernel refuses"]}
        version, players = picture["version"], picture["players"]
        if version < self.version or (version == self.version and players != self.picture):
            return 409, {"errors": ["a newer picture holds"], "version": self.version}
        self.version, self.picture = version, players
        self.shown.append(version)
        return 200, {"errors": [], "version": version}

    def _health(self) -> Any:
        return {
            "realm": "wz01",
            "kind": "wireguard",
            "errors": self.errors,
            "places": self.places,
            "free": self.places - len(self.players),
            "peers": len(self.players),
            "online": len(self.lines),
            "picture": self.version,
            "clock": time.time() + self.ahead,
        }

    def _peer(self, name: str) -> Any:
        online = name in self.lines
        line = {"since": self.lines.get(name), "received": 2 * online, "sent": 3 * online, "online": online}
        return {"name": name, "addresses": ["10.13.37.2"], "made": 1.0, "seen": None, "handshake": None, **line}


@dataclass
class Network:
    """Gates by host name, without a network; a name that nobody has cannot be reached."""

    gates: dict[str, Any] = field(default_factory=dict)

    def client(self) -> httpx.AsyncClient:
        """Return a client that reaches the gates."""
        return httpx.AsyncClient(transport=_Transport(self.gates), trust_env=False)


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, gates: dict[str, Any]) -> None:
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
