"""When the event is: as organisers set it, and as players are told."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.needs import need
from tests.web.pages.club import Club
from tests.web.pages.reading import Page

SETTINGS = "/admin/settings"
HOUR = timedelta(hours=1)


@pytest.fixture
def now(world):
    return world.clock()


def plain(text: str) -> str:
    return " ".join(Page(text).text.split())


async def set_window(world, evening, opens_at, closes_at):
    await world.game.event.set_window(evening.admin, opens_at, closes_at)


async def test_moments_of_the_script_are_taken_and_shown_again(organiser, world):
    moments = {"opens_at": "2026-11-28T17:00:00.000Z", "closes_at": "2026-11-29T18:30+01:00"}
    answer = await organiser.send(SETTINGS, SETTINGS, **moments)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{SETTINGS}?done=true")
    text = (await organiser.get(SETTINGS)).text
    assert 'data-moment="2026-11-28T17:00:00+00:00"' in text
    assert 'data-moment="2026-11-29T17:30:00+00:00"' in text
    assert (await world.game.event.view()).phase == "before"


async def test_without_the_script_they_are_written_in_utc_and_said_to_be(organiser, world):
    await organiser.send(SETTINGS, SETTINGS, opens_at="2026-11-28T17:00", closes_at="")
    view = await world.game.event.view()
    assert view.opens_at.isoformat() == "2026-11-28T17:00:00+00:00"
    assert view.closes_at is None
    page = await organiser.get(SETTINGS)
    assert "Time zone: UTC." in plain(page.text)
    assert 'value="2026-11-28T17:00"' in page.text


async def test_an_end_before_the_start_is_refused_and_what_was_written_stays(organiser, world):
    answer = await organiser.send(SETTINGS, SETTINGS, opens_at="2026-11-28T17:00Z", closes_at="2026-11-28T16:59Z")
    assert answer.status_code == 422
    assert "The end has to come after the start." in plain(answer.text)
    assert 'data-moment="2026-11-28T16:59:00+00:00"' in answer.text
    assert (await world.game.event.view()).opens_at is None


@pytest.mark.parametrize("odd", ["tomorrow", "2026-02-30T10:00", "0001-01-01T00:00+14:00", "9" * 5000, "\u0661"])
async def test_what_is_no_moment_is_told_so(organiser, odd):
    answer = await organiser.send(SETTINGS, SETTINGS, opens_at=odd, closes_at=odd)
    assert answer.status_code == 422
    assert plain(answer.text).count("Write a day and a time") == 2


async def test_before_the_event_players_are_told_when_it_begins_and_see_no_boxes(player, world, evening, now):
    await set_window(world, evening, now + HOUR, None)
    for path in ("/", "/tracks", "/boxes/cards"):
        answer = await player.get(path)
        assert "The event has not begun yet" in plain(answer.text), path
        assert f'data-until="{(now + HOUR).isoformat()}"' in answer.text, path
        assert "Zion" not in answer.text, path
        assert Page(answer.text).mistakes == [], path
    for path in ("/boxes/zion", "/boxes/no-such-box", "/boxes/zion/machine", "/boxes/zion/flags"):
        answer = await player.get(path)
        assert answer.status_code == 409, path
        assert "The event has not begun yet." in plain(answer.text), path
    token = (await player.page("/settings")).form("/settings/password").fields["_csrf_token"]
    for path, fields in (("/boxes/zion/start", {}), ("/flags", {"flag": "FLAG{x}"})):
        answer = await player.post(path, {"_csrf_token": token, **fields}, script=path == "/flags")
        assert (answer.status_code, "has not begun" in answer.text) == (409, True), path


async def test_after_the_event_players_are_told_so_and_find_nothing_to_press(player, world, evening, now):
    await set_window(world, evening, None, now)
    assert "The event is over" in plain((await player.get("/")).text)
    answer = await player.get("/boxes/villa")
    page = Page(answer.text)
    assert "The event is over" in plain(answer.text)
    assert page.mistakes == []
    assert not {"/boxes/villa/start"} & page.addresses
    token = (await player.page("/settings")).form("/settings/password").fields["_csrf_token"]
    answer = await player.post("/boxes/villa/start", {"_csrf_token": token}, script=True)
    assert (answer.status_code, "The event is over" in answer.text) == (409, True)


async def test_while_it_is_open_players_see_how_long(player, world, evening, now):
    await set_window(world, evening, now - HOUR, now + HOUR)
    text = (await player.get("/")).text
    assert "The event is open" in plain(text)
    assert f'data-until="{(now + HOUR).isoformat()}"' in text


async def test_players_neither_see_nor_change_the_settings(player):
    assert (await player.get(SETTINGS)).status_code == 403
    token = (await player.page("/settings")).form("/settings/password").fields["_csrf_token"]
    assert (await player.post(SETTINGS, {"_csrf_token": token})).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"opens_at": "2026-11-28T18:00:00+01:00", "closes_at": None}, 204),
        ({}, 204),
        ({"opens_at": "2026-11-28T18:00:00"}, 422),
        ({"opens_at": "soon"}, 422),
        ({"opens_at": "2026-11-28T18:00:00Z", "closes_at": "2026-11-28T18:00:00Z"}, 422),
        ({"opens_at": "0001-01-01T00:00:00+14:00"}, 422),
        ({"opens": "2026-11-28T18:00:00Z"}, 422),
    ],
)
async def test_the_api_sets_moments_with_a_time_zone(organiser, player, body, status):
    assert (await player.browser.send("PUT", "/api/v1/admin/event", json=body)).status_code in {403, 422}
    assert (await organiser.browser.send("PUT", "/api/v1/admin/event", json=body)).status_code == status


async def test_the_api_tells_players_when_it_is(player, world, evening, now):
    await set_window(world, evening, now + HOUR, None)
    told = (await player.browser.get("/api/v1/event")).json()
    assert told == {"opens_at": "2026-11-23T13:00:00Z", "closes_at": None, "phase": "before"}
    answer = await player.browser.get("/api/v1/boxes/zion")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-open-yet")


@need.chromium
async def test_moments_are_written_in_the_organisers_zone_and_one_that_is_skipped_is_the_next(
    club: Club, world, evening
):
    """The browser is in Paris, where clocks go from 2:00 to 3:00 on 2027-03-28."""
    page = await club.log_in("finn")
    await page.goto(f"{club.url}{SETTINGS}")
    await expect(page.locator("[data-zone]")).to_have_text("Europe/Paris")
    await page.fill("#opens_at", "2026-11-28T18:00")
    await page.fill("#closes_at", "2027-03-28T02:30")
    await page.click("main form button")
    await page.wait_for_url(f"{club.url}{SETTINGS}?done=true")
    await expect(page.locator("#opens_at")).to_have_value("2026-11-28T18:00")
    await expect(page.locator("#closes_at")).to_have_value("2027-03-28T03:30")
    view = await world.game.event.view()
    assert view.opens_at.isoformat() == "2026-11-28T17:00:00+00:00"
    assert view.closes_at.isoformat() == "2027-03-28T01:30:00+00:00"
