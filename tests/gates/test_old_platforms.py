"""Our own gate over a real socket, asked by a small independent client as old platforms were recorded to ask."""

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from chatsubo.gate.api import application
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.openvpn import OpenVPNTunnel
from chatsubo.gate.tunnel import Tunnel
from chatsubo.gate.wireguard import WireGuardTunnel
from tests.gates.recorded import Exchange, recording
from tests.gates.shapes import shape, whole
from tests.unit.gate.fakes import Bench, FakeTunnel

TOKEN = "let me in"
PLACES = 5
Answer = tuple[int, str, Any]
Ask = Callable[[bytes], Awaitable[Answer]]


class OnPaper(FakeTunnel):
    """Makes the keys and files that the real VPN server makes; there is no such server."""

    def __init__(self, real: Tunnel) -> None:
        super().__init__()
        self.issue = real.issue  # type: ignore[method-assign]
        self.client_file = real.client_file  # type: ignore[method-assign]


def bench_of(folder: Path, kind: str) -> Bench:
    """Return a gate of a kind with five places, that has not started."""
    settings = {"endpoint": "vpn.ctf.example", "subnet": "10.66.0.0/29", "routes": ("10.13.37.0/24",)}
    bench = Bench(folder, TOKEN, kind=kind, **settings)
    bench.tunnel = OnPaper(OpenVPNTunnel(bench.config) if kind == "openvpn" else WireGuardTunnel.open(bench.config))
    bench.gate = bench._gate()
    return bench


@asynccontextmanager
async def served(bench: Bench) -> AsyncIterator[Ask]:
    """Serve a gate on loopback, and give what asks it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await bench.gate.start()
        settings = uvicorn.Config(application(bench.gate, bench.config.auth_token), log_config=None, access_log=False)
        server = uvicorn.Server(settings)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield lambda request: asyncio.to_thread(_ask, listener.getsockname()[1], request)
        finally:
            server.should_exit = True
            await serving
            bench.state.close()


def _ask(port: int, request: bytes) -> Answer:
    """Send a request's bytes, and return the status, the type and what the answer's JSON holds. Blocks."""
    with socket.create_connection(("127.0.0.1", port), timeout=60.0) as connection:
        connection.sendall(request)
        with http.client.HTTPResponse(connection) as answer:
            answer.begin()
            body = answer.read()
            return answer.status, answer.headers.get_content_type(), json.loads(body)


def request(path: str, *headers: str) -> bytes:
    """Return the bytes of a request."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: gate.example", *headers, "", ""]).encode("latin-1")


def plain(said: Any) -> Any:
    """Return what an answer holds, of configurations their shape."""
    return {**said, "config": shape(said["config"])} if "config" in said else said


@pytest.fixture(params=["wireguard", "openvpn"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def bench(tmp_path: Path, kind: str) -> Bench:
    return bench_of(tmp_path / "state", kind)


async def test_an_old_platform_is_answered_as_by_the_gate_that_it_knows(bench: Bench, kind: str) -> None:
    well, slash, first, again, other, nameless, refused, unknown, full, unwell = recording(kind)
    async with served(bench) as ask:

        async def same(exchange: Exchange) -> Any:
            status, content, said = await ask(exchange.request)
            assert (status, content, plain(said)) == (200, "application/json", plain(exchange.said)), exchange.title
            return said

        await same(well)
        await same(slash)
        assert shape(first.said["config"]) == whole(kind)
        one, two, three = await same(first), await same(again), await same(other)
        assert one == two != three
        for asked, status in ((nameless, 401), (refused, 401)):
            assert (await ask(asked.request))[0] == asked.status == status
        await bench.gate.create([f"player{number}" for number in range(PLACES - 2)])
        told = next(one for one in recording("openvpn") if one.title == full.title)  # what the contract says
        await same(Exchange(full.title, full.request, told.answer))
        bench.tunnel.fault = TunnelError("; ".join(unwell.said["errors"]))
        await bench.gate.look()
        status, _, said = await ask(unwell.request)
        assert (status, said) == (200, {"errors": ["; ".join(unwell.said["errors"])]})
    assert unknown.status == 404


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/vpn/get/", "/api/vpn/get", "/api/v2/health", "/api/check/me", "//"]
)
async def test_a_path_that_is_none_is_not_found(tmp_path: Path, path: str) -> None:
    bench = bench_of(tmp_path / "state", "wireguard")
    async with served(bench) as ask:
        status, content, said = await ask(request(path, f"X-Chatsubo-Token: {TOKEN}"))
    assert (status, content, len(said["errors"])) == (404, "application/json", 1)
    assert bench.gate.peers == []


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["X-Chatsubo-Token:"],
        ["X-Chatsubo-Token: let me i"],
        ["X-Chatsubo-Token: let me in!"],
        ["X-Chatsubo-Token: LET ME IN"],
        ["X-Chatsubo-Token: l\xe9t me in"],
        ["X-Chatsubo-Token: let me out", "X-Chatsubo-Token: let me out"],
        ["X-Token: let me in"],
        ["Authorization: Bearer let me in"],
    ],
    ids=range(9),
)
async def test_another_token_opens_nothing(tmp_path: Path, headers: list[str]) -> None:
    bench = bench_of(tmp_path / "state", "wireguard")
    async with served(bench) as ask:
        for path in ("/api/check", "/api/vpn/get/case", "/api/v1/health"):
            assert (await ask(request(path, *headers)))[0] == 401
    assert bench.gate.peers == []


async def test_the_name_of_the_header_is_read_as_http_says(tmp_path: Path) -> None:
    async with served(bench_of(tmp_path / "state", "wireguard")) as ask:
        for header in ("x-chatsubo-token: let me in", "X-CHATSUBO-TOKEN:let me in", "X-Chatsubo-Token:   let me in  "):
            assert await ask(request("/api/check", header)) == (200, "application/json", {"errors": []})


async def test_names_come_percent_encoded(tmp_path: Path) -> None:
    bench = bench_of(tmp_path / "state", "wireguard")
    encoded = ["Dixie%20Flatline", "a%2Fb", "%C3%A9t%C3%A9", "%252F", "x" * 200]
    async with served(bench) as ask:
        for name in [*encoded, *encoded]:
            status, _, said = await ask(request(f"/api/vpn/get/{name}", f"X-Chatsubo-Token: {TOKEN}"))
            assert (status, said["errors"]) == (200, [])
    assert [one.name for one in bench.gate.peers] == ["Dixie Flatline", "a/b", "été", "%2F", "x" * 200]
