"""What pages about VPN connections do in a real browser: dots that turn, a code in a dialog, questions before acts."""

import re

import pytest
from playwright.async_api import expect

from chatsubo.live.bus import ADMINS, Event, account_topic
from chatsubo.store.gate_reports import GateReport, save_gate_report
from tests.needs import need
from tests.unit.gates.gate import FakeGate
from tests.web.pages import gated
from tests.web.pages.club import Club

pytestmark = need.chromium

CONNECTED = re.compile("is-good")


@pytest.fixture
async def make_site(make_site, world, network):
    """Make the site with a gate of every kind."""
    await gated.begin(world)
    network.gates["guard.example"] = FakeGate()
    return lambda *args, **changes: make_site(*args, gates=gated.GATES, **changes)


async def test_the_dot_the_page_and_the_box_turn_when_the_gate_reports_a_connection(club: Club, world):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/vpn")
    box = await club.tab("/boxes/straylight")
    for tab in (page, box):
        await expect(tab.locator("html[data-stream=open], html.scripted")).to_have_count(1)
        await expect(tab.locator("#vpn-dot")).not_to_have_class(CONNECTED)
    await expect(page.locator("html[data-stream=open]")).to_have_count(1)
    await expect(box.locator("#machine")).to_contain_text("You are not connected to wz01")
    await gated.connect(world, "case")
    world.bus.publish(account_topic(gated.CASE), Event("vpn"))
    for tab in (page, box):
        await expect(tab.locator("#vpn-dot")).to_have_class(CONNECTED)
    await expect(page.locator("#way-wz01 .state")).to_have_text("Connected")
    await expect(box.locator("#machine")).to_contain_text("Connected to wz01")
    await gated.disconnect(world, "case")
    world.bus.publish(account_topic(gated.CASE), Event("vpn"))
    await expect(page.locator("#way-wz01 .state")).to_have_text("Not connected")
    await expect(box.locator("#machine")).to_contain_text("You are not connected to wz01")


async def test_an_error_page_shows_the_dot_too(club: Club, world):
    await gated.connect(world, "case")
    page = await club.log_in("case")
    await page.goto(f"{club.url}/nowhere")
    await expect(page.locator("#vpn-dot")).to_have_class(CONNECTED)
    club.complaints.clear()  # the browser logs each answer that is an error


async def test_a_code_is_shown_in_a_dialog_and_gone_from_the_page_when_that_is_closed(club: Club):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/vpn")
    await page.focus("#vpn-wz01-qr")
    await page.keyboard.press("Enter")
    code = page.locator("#qr svg.segno")
    await expect(code).to_be_visible()
    shown = await code.bounding_box()
    assert shown is not None
    assert shown["width"] == shown["height"] > 300
    await page.keyboard.press("Escape")
    await expect(page.locator("#qr")).to_be_hidden()
    await expect(page.locator("#qr svg.segno")).to_have_count(0)
    await expect(page.locator("#vpn-wz01-qr")).to_be_focused()


async def test_a_code_that_cannot_be_had_says_why_in_the_dialog(club: Club):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/vpn")
    await page.click("#vpn-matrix-qr")
    await expect(page.locator("#qr [role=alert]")).to_contain_text("The VPN gate of matrix reported an error.")
    club.complaints.clear()  # the browser logs each answer that is an error


async def test_a_new_configuration_asks_first_and_is_told_in_its_card(club: Club, world, monkeypatch):
    async def renew(self, realm, gate_name, memory):
        return await self.access(realm, gate_name, memory)

    monkeypatch.setattr("chatsubo.gates.Gates.renew", renew)
    page = await club.log_in("case")
    await page.goto(f"{club.url}/vpn")
    await page.click("#ask-renew-wz01 summary")
    await page.click("#renew-wz01")
    await expect(page.locator("#way-wz01 .note")).to_contain_text("You have a new configuration")
    await expect(page.locator("#renew-wz01")).to_be_hidden()
    # What the gate tells next, that the old one's connection has ended, does not take away what there is to do.
    await expect(page.locator("html[data-stream=open]")).to_have_count(1)
    await gated.connect(world, "case")
    world.bus.publish(account_topic(gated.CASE), Event("vpn"))
    await expect(page.locator("#way-wz01 .state")).to_have_text("Connected")
    await expect(page.locator("#way-wz01 .note")).to_contain_text("You have a new configuration")


async def test_an_organiser_sees_players_come_and_cuts_one_off_without_leaving_the_page(club: Club, world):
    page = await club.log_in("finn")
    await page.goto(f"{club.url}/admin/gates")
    await expect(page.locator("html[data-stream=open]")).to_have_count(1)
    await gated.connect(world, "p10")
    world.bus.publish(ADMINS, Event("gates"))
    row = page.locator(".gate tr", has_text="molly")
    await row.locator("summary").click()
    await row.get_by_role("button", name="Cut off").click()
    await expect(page.locator(".gate tr", has_text="molly")).to_contain_text("Access cut off")
    await page.locator(".gate tr", has_text="molly").get_by_role("button", name="Let in again").click()
    await expect(page.locator(".gate tr", has_text="Access cut off")).to_have_count(0)


async def test_the_desk_turns_when_a_gate_goes(club: Club, world):
    page = await club.log_in("finn")
    await page.goto(f"{club.url}/admin")
    await expect(page.locator("html[data-stream=open]")).to_have_count(1)
    await expect(page.locator("#desk")).not_to_contain_text("The VPN gate of wz02")
    async with world.db.write() as tx:
        await save_gate_report(tx, GateReport(url=gated.OPEN, away=True, problem="no answer within 5 seconds"))
    world.bus.publish(ADMINS, Event("gates"))
    await expect(page.locator("#desk")).to_contain_text("The VPN gate of wz02 cannot be used")


@pytest.mark.parametrize(("name", "paths"), [("case", ("/vpn", "/boxes/straylight")), ("finn", ("/admin/gates",))])
async def test_pages_about_gates_fit_a_phone(club: Club, world, name, paths):
    await gated.connect(world, "case")
    await gated.keep_out(world, gated.RIVIERA)
    page = await club.log_in(name)
    await page.set_viewport_size({"width": 360, "height": 740})
    for path in paths:
        await page.goto(f"{club.url}{path}")
        for summary in await page.locator("main details.confirm summary").all():
            await summary.click()
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
            await summary.click()
