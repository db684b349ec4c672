"""A browser at a site that really listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import BrowserContext, Page, async_playwright, expect

from chatsubo.web.server import make_server
from tests.needs import chromium
from tests.web.pages.evening import PASSWORD

PATIENCE = 90_000
"""Milliseconds to wait for what is to be seen: far more than it takes, even where the machine is busy."""

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]

expect.set_options(timeout=PATIENCE)


@dataclass
class Club:
    """A browser at a running site: its windows, and what they complain about and ask for."""

    context: BrowserContext
    url: str
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def tab(self, path: str) -> Page:
        page = await self.context.new_page()
        await page.goto(f"{self.url}{path}")
        return page

    async def log_in(self, name: str) -> Page:
        page = await self.tab("/login")
        await page.fill("#username", name)
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await page.wait_for_url(f"{self.url}/")
        return page

    def streams(self) -> int:
        return sum("/live?since=" in url for url in self.asked)


@asynccontextmanager
async def new_club(make_site: Any, world: Any) -> AsyncIterator[Club]:
    """Somebody's browser at the site, which really listens; at the end nothing may have been complained about."""
    site = make_site("http://127.0.0.1", keep_alive=1.0)
    server = make_server(site.application, world.bus, site.settings, host="127.0.0.1", port=0)
    serving = asyncio.create_task(server.serve())
    await server.ready.wait()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        context = await browser.new_context(locale="en-GB", timezone_id="Europe/Paris")
        context.set_default_timeout(PATIENCE)
        await context.grant_permissions(["clipboard-read", "clipboard-write"])
        there = Club(context, f"http://127.0.0.1:{server.address[1]}")
        context.on("console", lambda said: there.complaints.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda failed: there.complaints.append(str(failed.error)))
        context.on("request", lambda request: there.asked.append(request.url))
        yield there
        await browser.close()
    server.stop()
    await serving
    assert there.complaints == []
