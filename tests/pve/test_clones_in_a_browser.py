"""A machine for each player, cloned on a cluster, as people play it: a whole platform and real browsers."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakepve import FakeVm
from playwright.async_api import Locator, Page, expect

from tests.needs import need
from tests.pve.club import Club, open_all, opened
from tests.pve.cluster import HELLO, VMIDS, add_template, boot_with_agent
from tests.pve.fake import RealisticPve

pytestmark = need.chromium

FIRST_ID, FIRST_ADDRESS = 9000, 10
DYNAMIC = {
    "vmids": VMIDS,
    "networks": {
        "wz01": {
            "bridge": "vmbr1",
            "addresses": "10.66.1.10-10.66.1.59/24",
            "gateway": "10.66.1.1",
            "players": ["10.8.0.0/24"],
        }
    },
}
TOLD = {
    **HELLO,
    "chatsubo.name": "The Hotel",
    "chatsubo.description": "A room for each guest.",
    "chatsubo.os": "Linux",
    "chatsubo.category": "Rooms",
    "chatsubo.difficulty": "2",
    "chatsubo.duration": "60",
}
BOX = "/boxes/the-hotel"
PLAYED = ("/", "/tracks", BOX, "/scoreboard", "/users", "/notices", "/settings")
KEPT = (BOX, "/admin", "/admin/templates", "/admin/boxes", "/admin/boxes/new?template=hello", "/admin/sessions")


@pytest.fixture
async def club(pve: RealisticPve, ca: Path, tmp_path: Path) -> AsyncIterator[Club]:
    """A platform whose one provider is a cluster with one template."""
    boot_with_agent(pve)
    add_template(pve, 100, TOLD)
    async with opened(pve, ca, tmp_path, dynamic=DYNAMIC) as there:
        yield there


@dataclass
class Room:
    """A clone as its player has it."""

    address: str
    password: str
    flag: str
    vm: FakeVm


def shown(page: Page) -> Locator:
    """Return where a page shows the player's machine."""
    return page.locator("#machine")


async def register(club: Club, desk: Page) -> None:
    """As an organiser: make a box of the template, with the form that its Notes filled in, and release it."""
    await club.make_a_box(desk, "hello")
    filled = {"name": "The Hotel", "description": "A room for each guest.", "difficulty": "2", "duration": "60"}
    flags = {"flags.0.name": "user", "flags.0.points": "100", "flags.1.name": "root", "flags.1.points": "200"}
    for name, value in {**filled, **flags}.items():
        await expect(desk.locator(f"[name='{name}']")).to_have_value(value)
    for name in ("flags.0.dynamic", "flags.1.dynamic"):
        await expect(desk.locator(f"[name='{name}']")).to_be_checked()
    await club.release(desk, "The Hotel")


async def press_start(page: Page) -> None:
    await page.goto(BOX)
    await page.get_by_role("button", name="Start", exact=True).click()


async def is_running(page: Page) -> None:
    await expect(shown(page).get_by_text("Running", exact=True)).to_be_visible()


async def room_of(club: Club, page: Page) -> Room:
    """Return the clone that a page shows, with what was put into it."""
    await is_running(page)
    found = re.search(r"ssh level0@(10\.66\.1\.(\d+))", await shown(page).inner_text())
    assert found is not None
    vm = club.pve.vm(FIRST_ID + int(found[2]) - FIRST_ADDRESS)
    files = [asked for command, asked in vm.agent_requests if command == "file-write"]
    return Room(found[1], vm.config["cipassword"], files[-1]["content"].strip(), vm)


async def submit(page: Page, flag: str) -> None:
    await page.fill("#box-flag", flag)
    await page.press("#box-flag", "Enter")


def guests(club: Club) -> set[int]:
    """Return which machines the cluster has besides the template."""
    return {one.vmid for one in club.pve.vms} - {100}


async def test_two_players_each_have_a_machine_credentials_and_flags_of_their_own(club: Club) -> None:
    desk, case, molly = [await club.comes(name) for name in ("finn", "case", "molly")]
    await register(club, desk)
    for page in (case, molly):
        await press_start(page)
    hers, his = await room_of(club, molly), await room_of(club, case)
    assert len({hers.address, his.address}) == len({hers.password, his.password}) == len({hers.flag, his.flag}) == 2
    for page, own, other in ((case, his, hers), (molly, hers, his)):
        await expect(shown(page)).to_contain_text(own.password)
        for strange in (other.address, other.password):
            await expect(shown(page)).not_to_contain_text(strange)

    await submit(case, hers.flag)
    await expect(case.locator(".toast-card")).to_contain_text("That is not a flag of yours.")
    await expect(case.locator("li.flag.is-found")).to_have_count(0)
    for page, own in ((case, his), (molly, hers)):
        await submit(page, own.flag)
        await expect(page.locator("li.flag.is-found")).to_have_count(1)
    await desk.goto("/admin")
    await expect(desk.locator(".attention")).to_contain_text("case submitted a flag of molly")


async def test_one_resets_and_one_stops_and_neither_disturbs_the_other(club: Club) -> None:
    desk, case, molly = [await club.comes(name) for name in ("finn", "case", "molly")]
    await register(club, desk)
    for page in (case, molly):
        await press_start(page)
    hers, his = await room_of(club, molly), await room_of(club, case)

    club.pve.may_end.clear()
    await case.locator("#machine summary", has_text="Reset").click()
    await case.get_by_role("button", name="Reset it").click()
    await expect(shown(case).get_by_text("Resetting", exact=True)).to_be_visible()
    await is_running(molly)
    club.pve.may_end.set()
    anew = await room_of(club, case)
    assert anew.vm is not his.vm
    assert (anew.address, anew.password, anew.flag) == (his.address, his.password, his.flag)
    assert club.pve.vm(hers.vm.vmid) is hers.vm

    await molly.locator("#machine summary", has_text="Stop").click()
    await molly.get_by_role("button", name="Stop it").click()
    await expect(molly.get_by_role("button", name="Start", exact=True)).to_be_visible()
    assert guests(club) == {anew.vm.vmid}
    await is_running(case)


async def test_no_page_waits_for_a_cluster_that_does_not_answer(club: Club) -> None:
    desk, case, molly = [await club.comes(name) for name in ("finn", "case", "molly")]
    await register(club, desk)
    await press_start(molly)
    hers = await room_of(club, molly)

    await club.until_it_waits()
    await press_start(case)
    await expect(shown(case)).to_contain_text("Never mind")
    await molly.locator("#machine summary", has_text="Stop").click()
    await molly.get_by_role("button", name="Stop it").click()
    await expect(shown(molly).get_by_text("Stopping", exact=True)).to_be_visible()
    for page, paths in ((case, PLAYED), (molly, PLAYED), (desk, KEPT)):
        await open_all(page, *paths)
    assert club.pve.in_flight > 0
    assert hers.vm.vmid in guests(club)

    club.pve.may_answer.set()
    for page in (case, molly):
        await page.goto(BOX)
    his = await room_of(club, case)
    await expect(molly.get_by_role("button", name="Start", exact=True)).to_be_visible()
    assert club.pve.vm(his.vm.vmid) is his.vm


async def test_a_cluster_goes_away_and_comes_back_under_a_running_clone(
    club: Club, certificate: tuple[str, str]
) -> None:
    desk, case, molly = [await club.comes(name) for name in ("finn", "case", "molly")]
    await register(club, desk)
    await press_start(molly)
    hers = await room_of(club, molly)
    await case.goto(BOX)

    await club.pve.stop()
    for page in (case, molly):
        await expect(shown(page)).to_contain_text("Since")
    await expect(case.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    await expect(shown(molly)).to_contain_text(f"ssh level0@{hers.address}")
    await open_all(case, *PLAYED)
    await open_all(desk, *KEPT)

    await club.pve.start(*certificate)
    await expect(shown(molly)).not_to_contain_text("Since")
    await is_running(molly)
    await press_start(case)
    his = await room_of(club, case)
    assert club.pve.vm(hers.vm.vmid) is hers.vm
    assert guests(club) == {hers.vm.vmid, his.vm.vmid}
