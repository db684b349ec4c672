"""Visitors of a site with a whole evening's game in it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from chatsubo.game import Game
from chatsubo.live.bus import Bus
from chatsubo.store.database import Database
from chatsubo.store.migrations import upgrade
from tests.game.world import Clock, World
from tests.web.pages.club import Club, new_club
from tests.web.pages.evening import PASSWORD, WHO, Evening, begin
from tests.web.pages.reading import Page
from tests.web.site import Browser, Site


@dataclass
class Visitor:
    """Somebody with a browser that runs no scripts, unless asked to speak as the script does."""

    browser: Browser

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.browser.get(path, headers=headers)

    async def page(self, path: str) -> Page:
        answer = await self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return Page(answer.text)

    async def send(self, path: str, action: str, *, script: bool = False, **fields: str) -> httpx.Response:
        """Open a page, fill in the form that goes to ``action``, and send it."""
        form = (await self.page(path)).form(action)
        return await self.post(form.action, {**form.fields, **fields}, script=script)

    async def post(self, address: str, fields: dict[str, Any], *, script: bool = False) -> httpx.Response:
        headers = {"HX-Request": "true"} if script else {}
        origin = self.browser.site.settings.origin
        return await self.browser.http.post(f"{origin}{address}", data=fields, headers=headers)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the evening in it, to be copied: here every site has one."""
    path = tmp_path_factory.mktemp("pages") / "evening.db"
    upgrade(f"sqlite:///{path}")

    async def fill() -> None:
        db, clock = Database.open(f"sqlite:///{path}"), Clock()
        game = Game.build(db, Bus(), clock=clock)
        await begin(db, game, clock())
        await game.aclose()
        await db.aclose()

    asyncio.run(fill())
    return path


@pytest.fixture
def evening(world: World) -> Evening:
    """Who is there that evening."""
    return WHO


@pytest.fixture
def visit(evening: Evening):
    """Let somebody come: ``case`` who plays, ``finn`` who organises, or nobody in particular."""

    async def come(site: Site, name: str | None = None, **headers: str) -> Visitor:
        browser = site.browser(**headers)
        if name:
            answer = await browser.log_in(name, PASSWORD)
            assert answer.status_code == 200, answer.text
        return Visitor(browser)

    return come


@pytest.fixture
async def player(site: Site, visit):
    return await visit(site, "case")


@pytest.fixture
async def organiser(site: Site, visit):
    return await visit(site, "finn")


@pytest.fixture
async def nobody(site: Site, visit):
    return await visit(site)


@pytest.fixture
async def club(make_site: Any, world: Any, evening: Evening) -> AsyncIterator[Club]:
    """Somebody's browser at the site, on an evening."""
    async with new_club(make_site, world) as there:
        yield there
