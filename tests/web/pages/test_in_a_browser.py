"""What the pages' script does, in a real browser."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import expect

from chatsubo.domain.clock import utc_now
from chatsubo.live.bus import EVERYONE, Event
from tests.needs import need
from tests.web.pages.club import Club
from tests.web.pages.evening import Evening
from tests.web.pages.test_every_page import KEPT, PLAYED

pytestmark = need.chromium

CUT_OFF = """() => {
  const tables = [...document.querySelectorAll(".table-wrap")].filter((one) => one.scrollWidth > one.clientWidth);
  const tabs = [...document.querySelectorAll(".tabs [aria-current]")].filter((one) => {
    const { left, right } = one.getBoundingClientRect();
    return left < 0 || right > innerWidth;
  });
  return [...tables, ...tabs].map((one) => one.textContent.trim());
}"""
"""Names tables that are wider than the screen, and open tabs that are not on it."""


@pytest.mark.parametrize(("name", "paths"), [("case", PLAYED), ("finn", KEPT)], ids=["player", "organiser"])
async def test_pages_fit_a_phone_and_break_neither_their_policy_nor_a_script(club: Club, name: str, paths):
    page = await club.log_in(name)
    await page.set_viewport_size({"width": 360, "height": 740})
    for path in paths:
        await page.goto(f"{club.url}{path}")
        await expect(page.locator("html.scripted")).to_have_count(1)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert await page.evaluate(CUT_OFF) == [], path


async def test_what_one_account_has_seen_is_new_to_another_in_the_same_browser(club: Club):
    page = await club.log_in("case")
    await page.click("#bell summary")
    await expect(page.locator("#unread")).to_be_hidden()
    await page.click("details.menu:not(#bell) summary")
    await page.click("button:has-text('Log out')")
    await page.wait_for_url(f"{club.url}/")
    page = await club.log_in("finn")
    await expect(page.locator("#unread")).to_have_text("2")


async def test_a_page_whose_login_has_ended_elsewhere_asks_to_log_in_again(club: Club, world, evening: Evening):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/scoreboard?track=web")
    await expect(page.locator("html[data-stream=open]")).to_have_count(1)
    for login in await world.game.accounts.logins(evening.player, ""):
        await world.game.accounts.revoke_login(evening.player, login.id)
    await page.wait_for_url("**/login?next=/scoreboard%3Ftrack%3Dweb")
    club.complaints.clear()  # the browser logs each answer that is an error


async def test_a_found_flag_turns_green_where_one_is(club: Club):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/boxes/straylight")
    await page.keyboard.press("f")
    await page.keyboard.type("FLAG{straylight-root}")
    await page.keyboard.press("Enter")
    await expect(page.locator("#flag-102.is-found.is-new")).to_have_count(1)
    await expect(page.locator(".toast-card .points")).to_have_text("+200")
    await expect(page.locator("#mine b")).to_have_text("1,350")
    await expect(page.locator("#flag-input")).to_have_value("")


async def test_of_two_flags_found_in_one_moment_each_is_seen(club: Club):
    page = await club.log_in("case")
    await page.clock.set_fixed_time(utc_now())
    await page.goto(f"{club.url}/boxes/tessier")
    for flag in ("foothold", "user"):
        await page.fill("#box-flag", f"FLAG{{tessier-{flag}}}")
        await page.press("#box-flag", "Enter")
        await expect(page.locator(".flag.is-found", has_text=flag)).to_have_count(1)


async def test_how_far_one_is_follows_a_found_flag_all_around_the_page(club: Club):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/tracks/web")
    await expect(page.locator("#progress-web")).to_contain_text("4/14")
    await page.fill("#flag-input", "FLAG{straylight-root}")
    await page.press("#flag-input", "Enter")
    await expect(page.locator("#progress-web")).to_contain_text("5/14")
    await expect(page.locator("#progress-web")).to_have_attribute("aria-current", "page")
    await expect(page.locator(".track-head .count")).to_have_text("5 of 14 flags")


async def test_the_home_page_follows_a_found_flag_a_machine_and_the_standings(club: Club, world, evening: Evening):
    page = await club.log_in("case")
    await expect(page.locator("html[data-stream=open]")).to_have_count(1)
    await page.fill("#flag-input", "FLAG{straylight-root}")
    await page.press("#flag-input", "Enter")
    await expect(page.locator("#home .page-head p")).to_contain_text("10 flags found, 1,350 points")
    async with page.expect_response(lambda answer: answer.url == f"{club.url}/"):
        world.bus.publish(EVERYONE, Event("standings"))
    await world.game.play.stop(evening.player, "straylight")
    await expect(page.locator(".run", has_text="Straylight")).to_contain_text("Stopping")
    await expect(page.locator("#home")).to_have_count(1)


async def test_of_three_cards_in_two_columns_the_third_takes_its_whole_row(club: Club):
    page = await club.log_in("case")
    await page.set_viewport_size({"width": 1280, "height": 900})
    cards = page.locator("#home .boxes").last
    await expect(cards.locator(".box-card")).to_have_count(3)
    row, third = await cards.bounding_box(), await cards.locator(".box-card").last.bounding_box()
    assert row is not None
    assert third is not None
    assert (third["x"], third["width"]) == (row["x"], row["width"])


async def test_an_error_page_has_the_frame_of_every_page(club: Club):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/nowhere")
    await expect(page.locator("#progress-web")).to_contain_text("4/14")
    await expect(page.locator("#mine b")).to_have_text("1,150")
    club.complaints.clear()  # the browser logs each answer that is an error


async def test_a_refused_start_is_told_in_its_place(club: Club):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/boxes/last-call")
    await page.click("#machine button:has-text('Start')")
    await expect(page.locator("#machine [role=alert]")).to_contain_text(
        "You have reached your limit of running machines (3)."
    )
    club.complaints.clear()  # the browser logs each answer that is an error


async def test_a_stop_asks_first_and_shows_what_happens(club: Club):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/boxes/straylight")
    await page.click("summary:has-text('Stop')")
    await page.keyboard.press("Escape")
    await expect(page.locator("button:has-text('Stop it')")).to_be_hidden()
    await page.click("summary:has-text('Stop')")
    await page.click("button:has-text('Stop it')")
    await expect(page.locator("#machine .state")).to_have_text("Stopping")


async def test_a_vpn_configuration_that_cannot_be_had_says_why(club: Club):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/boxes/straylight")
    await page.click("text=VPN configuration for wz01")
    await expect(page.locator(".fault h1")).to_have_text("Not found")
    club.complaints.clear()  # the browser logs each answer that is an error


async def test_what_one_needs_is_copied(club: Club):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/boxes/straylight")
    await page.click("[aria-label='Copy the ssh command']")
    await expect(page.locator("#status")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "ssh level0@10.13.37.100"


async def test_times_are_in_the_readers_own_zone(club: Club, world, evening: Evening):
    world.clock.now = utc_now() - timedelta(days=5, hours=12)  # the browser's clock cannot be set
    await world.game.notices.announce(evening.admin, "Doors open.")
    page = await club.log_in("case")
    await page.goto(f"{club.url}/notices")
    stamp = page.locator("main time").first
    await expect(stamp).to_have_attribute("title", re.compile("Europe/Paris"))
    await expect(stamp).to_have_text("5 days ago")


async def test_the_keyboard_reaches_everything(club: Club):
    page = await club.log_in("case")
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("?")
    await expect(page.locator("#keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.clock.set_fixed_time(utc_now())  # for the second key there is only a moment
    await page.keyboard.press("g")
    await page.keyboard.press("s")
    await page.wait_for_url("**/scoreboard")
    await page.keyboard.press("/")
    await page.keyboard.type("mol")
    await expect(page.locator("#standings tbody tr")).to_have_count(1)


async def test_a_machine_is_started_and_given_up_by_keyboard_alone(club: Club, world, evening: Evening):
    for slug in ("straylight", "zion"):
        await world.game.play.stop(evening.player, slug)
    page = await club.log_in("case")
    await page.goto(f"{club.url}/boxes/last-call")
    await page.focus("#start")
    await page.keyboard.press("Enter")
    await expect(page.locator("#machine .state")).to_have_text("Waiting")
    await expect(page.locator("#machine")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.locator("#stop")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#start")).to_be_visible()
    await expect(page.locator("#machine")).to_be_focused()


async def test_a_menu_closes_when_the_keyboard_leaves_it(club: Club):
    page = await club.log_in("case")
    await page.focus("#bell summary")
    await page.keyboard.press("Enter")
    await expect(page.locator("#bell .panel")).to_be_visible()
    await page.focus("main a")
    await expect(page.locator("#bell .panel")).to_be_hidden()


async def test_a_flag_row_is_added_and_taken_away(club: Club):
    page = await club.log_in("finn")
    await page.goto(f"{club.url}/admin/boxes/new?template=bare")
    await page.click("[data-add-row]")
    await expect(page.locator("[name='flags.0.name']")).to_be_focused()
    await page.click("[data-remove-row]")
    await expect(page.locator("#flags [data-row]")).to_have_count(0)
