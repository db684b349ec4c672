"""A machine of a cluster as people play it: a whole platform, real browsers, and a cluster that is slow or away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from fakepve import FakeVm
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from chatsubo.app.platform import Platform, running
from chatsubo.config import load
from chatsubo.domain.clock import utc_now
from chatsubo.game import Role
from chatsubo.game.shared import NOTICE
from chatsubo.providers.registry import Registry
from tests.needs import chromium, need
from tests.pve.cluster import add_vm, labels, written
from tests.pve.fake import SECRET, RealisticPve
from tests.real.browser import PATIENCE, QUIET
from tests.real.server import PASSWORD, reserve_port

pytestmark = need.chromium

expect.set_options(timeout=PATIENCE)

NEVER = 10 * PATIENCE / 1000
"""Seconds that a request to a silent cluster lasts: no page that waited for one would be there in time."""

MAIL = labels(
    name="Mail room",
    description="Somebody reads the director's mail.",
    os="FreeBSD",
    category="Offices",
    difficulty="4",
    duration="90",
    **{"flags.root.value": "FLAG{dear director}", "flags.root.points": "300"},
    **{"creds.ssh.username": "clerk", "creds.ssh.password": "pa=ss 'word'"},
)

PLAYED = ("/", "/tracks", "/boxes/mail-room", "/scoreboard", "/users", "/notices", "/settings")
KEPT = ("/boxes/mail-room", "/admin", "/admin/templates", "/admin/boxes", "/admin/boxes/new?template=mail")


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
    machine: FakeVm
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

    async def wait_for_template(self, desk: Page) -> Locator:
        """Wait until the machine is listed, and return its card among the templates."""
        card = desk.locator("article", has=desk.get_by_role("heading", name="mail"))
        async with asyncio.timeout(PATIENCE / 1000):
            while not await card.count():
                await desk.goto("/admin/templates")
        return card


@pytest.fixture
async def club(pve: RealisticPve, ca: Path, tmp_path: Path) -> AsyncIterator[Club]:
    """A platform whose one provider is a cluster with one machine, an organiser, and two players."""
    machine = add_vm(pve, 100, MAIL, config={"cores": 1})
    clock = MovedClock()
    async with _platform(pve, ca, tmp_path, clock) as platform, async_playwright() as playwright:
        accounts = platform.game.accounts
        await accounts.create("finn", PASSWORD, Role.ADMIN)
        for name in ("case", "molly"):
            await accounts.create(name, PASSWORD, Role.PLAYER)
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        async with AsyncExitStack() as visits:
            there = Club(platform, clock, pve, machine, browser, visits)
            yield there
            assert there.complaints == []
        await browser.close()
        pve.may_answer.set()
        pve.may_end.set()


@asynccontextmanager
async def _platform(pve: RealisticPve, ca: Path, folder: Path, clock: MovedClock) -> AsyncIterator[Platform]:
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


async def register(club: Club, desk: Page) -> None:
    """As an organiser: make a box of the machine, with the form that its Notes filled in, and release it."""
    card = await club.wait_for_template(desk)
    await card.get_by_role("link", name="Make a box").click()
    filled = {"name": "Mail room", "difficulty": "4", "duration": "90", "flags.0.name": "root"}
    for name, value in {**filled, "flags.0.value": "FLAG{dear director}", "flags.0.points": "300"}.items():
        await expect(desk.locator(f"[name='{name}']")).to_have_value(value)
    await expect(desk.get_by_label("New track")).to_have_value("Offices")
    await desk.get_by_role("button", name="Register the box").click()
    await desk.goto("/admin/boxes")
    await desk.get_by_label("Actions for Mail room").click()
    await desk.get_by_role("button", name="Release").click()
    await expect(desk.get_by_text("Released", exact=True)).to_be_visible()


async def ask(page: Page) -> None:
    """Ask for a reset, and confirm it."""
    await page.locator("#machine summary", has_text="Ask for a reset").click()
    await page.get_by_role("button", name="Ask for it").click()
    await expect(page.locator("#machine")).to_contain_text("About to be reset")


async def test_from_the_organisers_form_to_a_reset_that_everyone_is_told_of(club: Club) -> None:
    desk, case, molly = [await club.comes(name) for name in ("finn", "case", "molly")]
    await register(club, desk)

    await case.goto("/tracks")
    await case.get_by_role("link", name="Mail room").first.click()
    machine = case.locator("#machine")
    await expect(machine.get_by_text("Running", exact=True)).to_be_visible()
    for shown in ("10.66.0.7", "ssh clerk@10.66.0.7", "pa=ss 'word'"):
        await expect(machine).to_contain_text(shown)

    club.machine.config["cores"] = 7
    begun = asyncio.Event()
    club.pve.on_task = lambda _kind: begun.set()
    club.pve.may_end.clear()
    await ask(case)
    asked = "Mail room in wz01 will be brought back to its initial state in 5 min. case asked for it."
    for page in (case, molly, desk):
        await expect(page.locator("#bell-content")).to_contain_text(asked)
    assert not begun.is_set()

    club.clock.ahead += NOTICE
    async with asyncio.timeout(PATIENCE / 1000):
        await begun.wait()
    await expect(machine).to_contain_text("Bringing the machine back to its snapshot clean")
    await expect(machine.get_by_text("Resetting", exact=True)).to_be_visible()
    done = "Mail room in wz01 was brought back to its initial state."
    for page in (case, molly, desk):
        await expect(page.locator("#bell-content")).not_to_contain_text(done)
    club.pve.may_end.set()
    for page in (case, molly, desk):
        await expect(page.locator("#bell-content")).to_contain_text(done)
    await expect(machine).to_contain_text("You may ask for a reset again from")
    assert (club.machine.config["cores"], club.machine.status) == (1, "running")


async def test_an_organiser_does_not_wait_for_the_announced_moment(club: Club) -> None:
    desk, case = [await club.comes(name) for name in ("finn", "case")]
    await register(club, desk)
    for page in (case, desk):
        await page.goto("/boxes/mail-room")
    await ask(case)
    club.machine.config["cores"] = 7
    await desk.locator("#machine summary", has_text="Reset now").click()
    await desk.get_by_role("button", name="Reset it").click()
    for page in (case, desk):
        await expect(page.locator("#bell-content")).to_contain_text("was brought back to its initial state.")
    assert club.machine.config["cores"] == 1


async def test_a_changed_note_shows_at_once_when_an_organiser_looks_again(club: Club) -> None:
    desk, case = [await club.comes(name) for name in ("finn", "case")]
    await register(club, desk)
    await case.goto("/boxes/mail-room")
    await expect(case.locator("#machine")).to_contain_text("10.66.0.7")
    club.machine.config["description"] = written({**MAIL, "chatsubo.address": "10.66.0.99"})
    await desk.goto("/admin")
    await expect(desk.locator("html[data-stream=open]")).to_have_count(1)
    await desk.get_by_role("button", name="Look again at wz_pve").click()
    await expect(case.locator("#machine")).to_contain_text("ssh clerk@10.66.0.99")
    await expect(desk.get_by_role("button", name="Look again at wz_pve")).to_be_visible()


async def test_no_page_waits_for_a_cluster_that_does_not_answer(club: Club) -> None:
    desk, case = [await club.comes(name) for name in ("finn", "case")]
    await register(club, desk)
    club.pve.may_answer.clear()
    async with asyncio.timeout(PATIENCE / 1000):
        await club.pve.kept_waiting.wait()
    for page, paths in ((case, PLAYED), (desk, KEPT)):
        for path in paths:
            answer = await page.goto(path)
            assert answer is not None
            assert answer.ok, path
    await case.goto("/boxes/mail-room")
    await ask(case)
    await desk.goto("/boxes/mail-room")
    await desk.get_by_role("button", name="Call it off").click()
    for page in (case, desk):
        await expect(page.locator("#bell-content")).to_contain_text("The reset of Mail room in wz01 was called off.")
    assert club.pve.in_flight > 0
    club.pve.may_answer.set()


async def test_a_cluster_goes_away_and_comes_back_under_an_open_page(club: Club, certificate: tuple[str, str]) -> None:
    desk, case = [await club.comes(name) for name in ("finn", "case")]
    await register(club, desk)
    await case.goto("/boxes/mail-room")
    await desk.goto("/admin")
    machine, attention = case.locator("#machine"), desk.locator(".attention")
    await expect(machine.get_by_text("Running", exact=True)).to_be_visible()

    await club.pve.stop()
    await expect(attention).to_contain_text("Provider wz_pve does not answer")
    await expect(machine).to_contain_text("Since")
    await expect(machine).to_contain_text("ssh clerk@10.66.0.7")
    for path in PLAYED:
        answer = await case.goto(path)
        assert answer is not None
        assert answer.ok, path
    await case.goto("/boxes/mail-room")

    await club.pve.start(*certificate)
    await expect(attention).not_to_contain_text("does not answer")
    await expect(machine).not_to_contain_text("Since")
    await expect(machine.get_by_text("Running", exact=True)).to_be_visible()
