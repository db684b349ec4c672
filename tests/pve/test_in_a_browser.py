"""A machine of a cluster as people play it: a whole platform, real browsers, and a cluster that is slow or away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from chatsubo.game.shared import NOTICE
from tests.needs import need
from tests.pve.club import Club, open_all, opened
from tests.pve.cluster import add_vm, labels, written
from tests.pve.fake import RealisticPve
from tests.real.browser import PATIENCE

pytestmark = need.chromium

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


@pytest.fixture
async def club(pve: RealisticPve, ca: Path, tmp_path: Path) -> AsyncIterator[Club]:
    """A platform whose one provider is a cluster with one machine."""
    add_vm(pve, 100, MAIL, config={"cores": 1})
    async with opened(pve, ca, tmp_path) as there:
        yield there


async def register(club: Club, desk: Page) -> None:
    """As an organiser: make a box of the machine, with the form that its Notes filled in, and release it."""
    await club.make_a_box(desk, "mail")
    filled = {"name": "Mail room", "difficulty": "4", "duration": "90", "flags.0.name": "root"}
    for name, value in {**filled, "flags.0.value": "FLAG{dear director}", "flags.0.points": "300"}.items():
        await expect(desk.locator(f"[name='{name}']")).to_have_value(value)
    await expect(desk.get_by_label("New track")).to_have_value("Offices")
    await club.release(desk, "Mail room")


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

    club.pve.vm(100).config["cores"] = 7
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
    assert (club.pve.vm(100).config["cores"], club.pve.vm(100).status) == (1, "running")


async def test_an_organiser_does_not_wait_for_the_announced_moment(club: Club) -> None:
    desk, case = [await club.comes(name) for name in ("finn", "case")]
    await register(club, desk)
    for page in (case, desk):
        await page.goto("/boxes/mail-room")
    await ask(case)
    club.pve.vm(100).config["cores"] = 7
    await desk.locator("#machine summary", has_text="Reset now").click()
    await desk.get_by_role("button", name="Reset it").click()
    for page in (case, desk):
        await expect(page.locator("#bell-content")).to_contain_text("was brought back to its initial state.")
    assert club.pve.vm(100).config["cores"] == 1


async def test_a_changed_note_shows_at_once_when_an_organiser_looks_again(club: Club) -> None:
    desk, case = [await club.comes(name) for name in ("finn", "case")]
    await register(club, desk)
    await case.goto("/boxes/mail-room")
    await expect(case.locator("#machine")).to_contain_text("10.66.0.7")
    club.pve.vm(100).config["description"] = written({**MAIL, "chatsubo.address": "10.66.0.99"})
    await desk.goto("/admin")
    await expect(desk.locator("html[data-stream=open]")).to_have_count(1)
    await desk.get_by_role("button", name="Look again at wz_pve").click()
    await expect(case.locator("#machine")).to_contain_text("ssh clerk@10.66.0.99")
    await expect(desk.get_by_role("button", name="Look again at wz_pve")).to_be_visible()


async def test_no_page_waits_for_a_cluster_that_does_not_answer(club: Club) -> None:
    desk, case = [await club.comes(name) for name in ("finn", "case")]
    await register(club, desk)
    await club.until_it_waits()
    await open_all(case, *PLAYED)
    await open_all(desk, *KEPT)
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
    await open_all(case, *PLAYED)
    await case.goto("/boxes/mail-room")

    await club.pve.start(*certificate)
    await expect(attention).not_to_contain_text("does not answer")
    await expect(machine).not_to_contain_text("Since")
    await expect(machine.get_by_text("Running", exact=True)).to_be_visible()
