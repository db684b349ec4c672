"""A whole platform in front of a cluster, and people who visit it with browsers of their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from playwright.async_api import Browser, Page, async_playwright, expect

from chatsubo.app.platform import Platform, running
from chatsubo.config import load
from chatsubo.domain.clock import utc_now
from chatsubo.game import Role
from chatsubo.providers.registry import Registry
from tests.needs import chromium
from tests.pve.fake import SECRET, RealisticPve
from tests.real.browser import PATIENCE, QUIET
from tests.real.server import PASSWORD, reserve_port

expect.set_options(timeout=PATIENCE)

NEVER = 10 * PATIENCE / 1000
"""Seconds that a request to a silent cluster lasts: no page that waited for one would be there in time."""


@dataclass
class MovedClock:
    """The time of day, moved ahead."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@dataclass
class Club:
    """A running platform in front of a cluster, and browsers that visit it."""

    platform: Platform
    clock: MovedClock
    pve: RealisticPve
    browser: Browser
    visits: AsyncExitStack
    complaints: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.platform.config.server.url

    async def comes(self, name: str) -> Page:
        """Let somebody log in, in a browser of their own."""
        context = await self.browser.new_context(base_url=self.url, locale="en-GB")
        self.visits.push_async_callback(context.close)
        context.set_default_timeout(PATIENCE)
        context.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda failed: self.complaints.append(str(failed.error)))
        page = await context.new_page()
        await page.goto("/login")
        await page.fill("#username", name)
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await page.wait_for_url(f"{self.url}/")
        await expect(page.locator("html[data-stream=open]")).to_have_count(1)
        return page

    async def make_a_box(self, desk: Page, template: str) -> None:
        """As an organiser: wait until a template is listed, and open the form that its Notes filled in."""
        card = desk.locator("article", has=desk.get_by_role("heading", name=template))
        async with asyncio.timeout(PATIENCE / 1000):
            while not await card.count():
                await desk.goto("/admin/templates")
        await card.get_by_role("link", name="Make a box").click()

    async def release(self, desk: Page, box: str) -> None:
        """As an organiser: register the box whose form is open, and release it."""
        await desk.get_by_role("button", name="Register the box").click()
        await desk.goto("/admin/boxes")
        await desk.get_by_label(f"Actions for {box}").click()
        await desk.get_by_role("button", name="Release").click()
        await expect(desk.get_by_text("Released", exact=True)).to_be_visible()

    async def until_it_waits(self) -> None:
        """Let the cluster answer nothing any more, and return once somebody waits for an answer."""
        self.pve.may_answer.clear()
        async with asyncio.timeout(PATIENCE / 1000):
            await self.pve.kept_waiting.wait()


async def open_all(page: Page, *paths: str) -> None:
    """Open one page after the other; each must answer well."""
    for path in paths:
        answer = await page.goto(path)
        assert answer is not None
        assert answer.ok, path


@asynccontextmanager
async def opened(pve: RealisticPve, ca: Path, folder: Path, **settings: Any) -> AsyncIterator[Club]:
    """Give a platform whose one provider is the cluster, with the organiser finn and the players case and molly.

    Args:
        pve: The cluster.
        ca: The authority of its certificate.
        folder: Where the platform keeps its files.
        settings: More of the provider's configuration.
    """
    clock = MovedClock()
    async with _platform(pve, ca, folder, clock, settings) as platform, async_playwright() as playwright:
        accounts = platform.game.accounts
        await accounts.create("finn", PASSWORD, Role.ADMIN)
        for name in ("case", "molly"):
            await accounts.create(name, PASSWORD, Role.PLAYER)
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        async with AsyncExitStack() as visits:
            there = Club(platform, clock, pve, browser, visits)
            yield there
            assert there.complaints == []
        await browser.close()
        pve.may_answer.set()
        pve.may_end.set()


@asynccontextmanager
async def _platform(
    pve: RealisticPve, ca: Path, folder: Path, clock: MovedClock, settings: dict[str, Any]
) -> AsyncIterator[Platform]:
    with reserve_port() as reserved:
        port = reserved.getsockname()[1]
        provider = {
            "api": {
                "user": "chatsubo@pve",
                "host": "127.0.0.1",
                "port": pve.port,
                "token": {"name": "game", "value": SECRET},
            },
            "ca": str(ca),
            "realms": ["wz01"],
            "request_timeout": NEVER,
            **settings,
        }
        content = {
            "providers": {"pve": {"wz_pve": provider}},
            "server": {"host": "127.0.0.1", "port": port, "allow_insecure_http": True},
            "database": {"url": f"sqlite:///{folder / 'chatsubo.db'}"},
        }
        file = folder / "chatsubo.yml"
        file.write_text(yaml.safe_dump(content))
        registry = Registry.load()
        async with running(load(file, registry.config_models()), registry, clock=clock) as platform:
            serving = asyncio.create_task(platform.server.serve())
            await platform.server.ready.wait()
            try:
                yield platform
            finally:
                platform.server.stop()
                await serving
