"""Places for event streams: an account has so many, whatever happens at the same moment."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from chatsubo.game.accounts import Accounts
from chatsubo.game.actor import Actor
from chatsubo.web.live import MOST_STREAMS
from chatsubo.web.logins import cookie_name
from tests.web.conftest import MakeSite
from tests.web.site import Browser, Site


class Stream:
    """A stream that a browser asks for, between a server and the application; ``status`` is what it was answered."""

    def __init__(self, browser: Browser) -> None:
        self._site = browser.site
        self._cookie = f"{cookie_name(browser.site.settings)}={browser.token}".encode()
        self._gone = asyncio.Event()
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def leave(self) -> None:
        """Close the connection."""
        self._gone.set()

    async def run(self) -> None:
        """Ask, and listen until the end."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "https",
            "path": "/live",
            "raw_path": b"/live",
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"ctf.example"), (b"cookie", self._cookie)],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 443),
        }
        await self._site.application(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status.set_result(message["status"])
        elif not message["more_body"]:
            self._gone.set()  # a server says so, too, when all has been sent


async def _statuses(streams: list[Stream], group: asyncio.TaskGroup) -> Counter[int]:
    for stream in streams:
        group.create_task(stream.run())
    return Counter(await asyncio.gather(*(stream.status for stream in streams)))


async def test_streams_that_are_opened_at_the_same_moment_are_counted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await site.player("case")
    authenticate, all_there = Accounts.authenticate, asyncio.Barrier(MOST_STREAMS + 8)

    async def together(self: Accounts, token: str) -> Actor | None:
        actor = await authenticate(self, token)
        await all_there.wait()
        return actor

    monkeypatch.setattr(Accounts, "authenticate", together)
    streams = [Stream(case) for _ in range(MOST_STREAMS + 8)]
    async with asyncio.TaskGroup() as group:
        assert await _statuses(streams, group) == {200: MOST_STREAMS, 429: 8}
        for stream in streams:
            stream.leave()


async def test_a_browser_that_leaves_before_its_stream_begins_gives_its_place_back(site: Site) -> None:
    case = await site.player("case")
    gone = [Stream(case) for _ in range(MOST_STREAMS)]
    for stream in gone:
        stream.leave()
    async with asyncio.TaskGroup() as group:
        await _statuses(gone, group)

    stays = Stream(case)
    async with asyncio.TaskGroup() as group:
        assert await _statuses([stays], group) == {200: 1}
        stays.leave()


async def test_the_stream_of_who_is_banned_ends_at_once(make_site: MakeSite) -> None:
    site = make_site(keep_alive=3600.0)
    case, organiser = await site.player("case"), await site.organiser()
    stream = Stream(case)
    listening = asyncio.create_task(stream.run())
    assert await stream.status == 200
    (found,) = (await organiser.get("/api/v1/admin/accounts?q=case")).json()["accounts"]

    answer = await organiser.send("PUT", f"/api/v1/admin/accounts/{found['id']}/ban", json={"reason": "Cheated."})

    assert answer.status_code == 204
    async with asyncio.timeout(60):
        await listening
    again = Stream(case)
    await again.run()
    assert await again.status == 401
