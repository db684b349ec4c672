"""The server on a real socket: live events, its end, proxies, and what is too long or too slow."""

import asyncio
import json
import re
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chatsubo.game.actor import Actor, Role
from chatsubo.live.bus import Bus
from chatsubo.web.live import topics_of
from chatsubo.web.server import CannotListen, make_server
from tests.web.served import Served, served
from tests.web.site import settings

WITHIN = 60.0
"""Seconds within which whatever is waited for has to come, on a machine that is busy with other things too."""


@pytest.fixture
def database(empty_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty_database, tmp_path / "served.db"))


@pytest.fixture
async def server(database: Path) -> AsyncIterator[Served]:
    async with served(database) as started:
        yield started


class Stream:
    """An open event stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.lines = response.aiter_lines()

    async def until(self, wanted: str) -> list[str]:
        """Return the lines up to the one that is ``wanted``."""
        seen = []
        async with asyncio.timeout(WITHIN):
            async for line in self.lines:
                seen.append(line)
                if line == wanted:
                    return seen
        raise AssertionError(f"the stream ended without {wanted!r}: {seen}")

    async def rest(self) -> list[str]:
        """Return the lines up to the end of the stream."""
        async with asyncio.timeout(WITHIN):
            return [line async for line in self.lines]


def _client() -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=0)
    return httpx.AsyncClient(limits=limits, timeout=WITHIN, trust_env=False)


async def test_live_events_reach_those_who_are_logged_in(server: Served) -> None:
    async with _client() as http, http.stream("GET", f"{server.url}/live", headers=server.cookie) as response:
        stream = Stream(response)
        await stream.until("retry: 2000")
        await server.publish("standings")
        seen = await stream.until("event: standings")
        data = await anext(stream.lines)
        figures = await http.get(f"{server.url}/metrics")

    assert "chatsubo_live_listeners 1.0" in figures.text
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["cache-control"] == "no-store"
    assert json.loads(data.removeprefix("data: ")) == {}
    assert "event: resync" not in seen


async def test_a_browser_that_comes_back_is_told_to_look_at_everything_again(server: Served) -> None:
    headers = {**server.cookie, "Last-Event-ID": "1"}
    async with _client() as http, http.stream("GET", f"{server.url}/live", headers=headers) as response:
        assert "event: resync" in await Stream(response).until("event: resync")


async def test_a_page_is_told_of_what_happened_before_its_stream_was_open(server: Served) -> None:
    async with _client() as http:
        page = await http.get(f"{server.url}/tracks", headers=server.cookie)
        (heard,) = re.findall(r'data-heard="([^"]+)"', page.text)
        live = f"{server.url}/live?since={heard}"
        async with http.stream("GET", live, headers=server.cookie) as response:
            stream = Stream(response)
            await stream.until("retry: 2000")
            await server.publish("boxes")
            assert "event: resync" not in await stream.until("event: boxes")
        async with http.stream("GET", live, headers=server.cookie) as response:
            assert "event: resync" in await Stream(response).until("event: resync")


def test_only_organisers_hear_what_is_theirs() -> None:
    assert topics_of(Actor(7, "case", Role.PLAYER)) == ("everyone", "account:7")
    assert topics_of(Actor(1, "finn", Role.ADMIN)) == ("everyone", "account:1", "admins")


async def test_strangers_hear_nothing(server: Served) -> None:
    async with _client() as http:
        answer = await http.get(f"{server.url}/live")

    assert (answer.status_code, answer.json()["code"]) == (401, "not-logged-in")


async def test_a_silent_stream_shows_signs_of_life_and_ends_with_its_login(database: Path) -> None:
    async with (
        served(database, keep_alive=0.2) as server,
        _client() as http,
        http.stream("GET", f"{server.url}/live", headers=server.cookie) as response,
    ):
        stream = Stream(response)
        await stream.until(": alive")
        token = await http.get(f"{server.url}/api/v1/csrf", headers=server.cookie)
        csrf = token.cookies["chatsubo-csrf"]
        headers = {"Cookie": f"{server.cookie['Cookie']}; chatsubo-csrf={csrf}", "X-CSRF-Token": csrf}
        assert (await http.post(f"{server.url}/api/v1/logout", headers=headers)).status_code == 204
        await stream.rest()


async def test_an_account_cannot_open_streams_without_end(server: Served) -> None:
    async with _client() as http:
        async with asyncio.TaskGroup() as group:
            opened = [group.create_task(_open(http, server)) for _ in range(32)]
        refused = await http.get(f"{server.url}/live", headers=server.cookie)
        await opened[0].result().aclose()
        await _until_served_again(http, server)
        for task in opened:
            await task.result().aclose()

    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-streams")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_server_ends_without_waiting_for_twenty_browsers_that_are_connected(
    server: Served, number: signal.Signals
) -> None:
    async with _client() as http:
        async with asyncio.TaskGroup() as group:
            opened = [group.create_task(_open(http, server)) for _ in range(20)]
        await http.get(f"{server.url}/healthz")
        server.process.send_signal(number)
        async with asyncio.timeout(WITHIN):
            status = await server.process.wait()
        for task in opened:
            await task.result().aclose()

    assert status == 0


async def test_a_proxy_that_nobody_configured_cannot_say_where_requests_come_from(server: Served) -> None:
    assert await _address_of_login(server) == "127.0.0.1"


async def test_a_configured_proxy_says_where_requests_come_from(database: Path) -> None:
    async with served(database, proxies="127.0.0.1,10.0.0.0/8") as server:
        assert await _address_of_login(server) == "203.0.113.7"


async def test_headers_without_end_are_refused(server: Served) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")

    with pytest.raises(ConnectionError):
        await _pour(writer, b"x-more: " + b"x" * 8000 + b"\r\n", times=1000)

    async with _client() as http:
        assert (await http.get(f"{server.url}/healthz")).status_code == 200


async def _nothing(scope: dict[str, object], receive: Any, send: Any) -> None:
    """Be an application that answers nothing."""
    assert scope["type"] == "lifespan"
    for part in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{part}.complete"})


async def test_headers_that_never_come_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatsubo.web.protocol.HEADER_SECONDS", 0.2)
    server = make_server(_nothing, Bus(), settings(), host="127.0.0.1", port=0)
    serving = asyncio.create_task(server.serve())
    await server.ready.wait()

    for begun in (b"", b"GET /healthz HTTP/1.1\r\nhost: x\r\n"):
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(begun)
        async with asyncio.timeout(WITHIN):
            assert await reader.read() == b""
        writer.close()

    server.stop()
    await serving


async def test_an_address_that_is_taken_is_told_with_what_to_do(server: Served) -> None:
    second = make_server(_nothing, Bus(), settings(), host="127.0.0.1", port=server.port)

    with pytest.raises(CannotListen, match=rf"127\.0\.0\.1, port {server.port}: Address already in use"):
        await second.serve()


async def test_a_body_that_is_too_long_is_refused_before_it_is_read(server: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"POST /api/v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"content-length: 1000000000\r\nx-csrf-token: " + b"0" * 128 + b"\r\n\r\n{"
    )
    async with asyncio.timeout(WITHIN):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()

    assert head.startswith(b"HTTP/1.1 413")


async def test_head_is_answered_without_a_body(server: Served) -> None:
    async with _client() as http:
        answer = await http.head(f"{server.url}/healthz")
        stream = await http.head(f"{server.url}/live", headers=server.cookie)

    assert (answer.status_code, answer.content) == (200, b"")
    assert stream.status_code == 405


async def test_the_server_does_not_say_what_it_is(server: Served) -> None:
    async with _client() as http:
        assert "server" not in (await http.get(f"{server.url}/healthz")).headers


async def _pour(writer: asyncio.StreamWriter, data: bytes, *, times: int) -> None:
    for _ in range(times):
        writer.write(data)
        await writer.drain()


async def _open(http: httpx.AsyncClient, server: Served) -> httpx.Response:
    request = http.build_request("GET", f"{server.url}/live", headers=server.cookie)
    response = await http.send(request, stream=True)
    assert response.status_code == 200
    return response


async def _until_served_again(http: httpx.AsyncClient, server: Served) -> None:
    async with asyncio.timeout(WITHIN):
        while True:
            request = http.build_request("GET", f"{server.url}/live", headers=server.cookie)
            response = await http.send(request, stream=True)
            await response.aclose()
            if response.status_code == 200:
                return


async def _address_of_login(server: Served) -> str:
    """Log in through a proxy that says the request is another machine's, and return what the server believes."""
    forwarded = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7, 10.1.2.3"}
    async with _client() as http:
        csrf = (await http.get(f"{server.url}/api/v1/csrf")).json()["token"]
        http.cookies.set("chatsubo-csrf", csrf, "127.0.0.1")
        body = {"username": "case", "password": "correct horse"}
        headers = {**forwarded, "X-CSRF-Token": csrf}
        answer = await http.post(f"{server.url}/api/v1/login", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        logins = (await http.get(f"{server.url}/api/v1/me/logins", headers=forwarded)).json()
    return str(next(login["address"] for login in logins if login["current"]))
