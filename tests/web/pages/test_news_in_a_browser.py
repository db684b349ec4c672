"""What pages do with news, in a real browser."""

import asyncio
import re
from dataclasses import dataclass, field

from playwright.async_api import Page, Route, expect

from chatsubo.live.bus import ADMINS, EVERYONE, Event, account_topic
from tests.needs import need
from tests.web.pages.club import Club
from tests.web.pages.evening import Evening

pytestmark = need.chromium


async def test_all_tabs_share_one_stream_and_hear_the_same(club: Club, world):
    first = await club.log_in("case")
    await expect(first.locator("html[data-stream=open]")).to_have_count(1)
    second = await club.tab("/boxes/straylight")
    await expect(second.locator("#bell-content .notices")).to_have_count(1)
    async with first.expect_response("**/notices/bell"), second.expect_response("**/notices/bell"):
        world.bus.publish(EVERYONE, Event("notice"))
    assert club.streams() == 1


async def test_when_the_tab_with_the_stream_goes_another_opens_one_and_catches_up(club: Club, world, evening: Evening):
    first = await club.log_in("case")
    await expect(first.locator("html[data-stream=open]")).to_have_count(1)
    second = await club.tab("/scoreboard")
    await expect(second.locator("#unread")).to_have_text("3")
    await asyncio.gather(first.close(), world.game.notices.announce(evening.admin, "Still there?"))
    await expect(second.locator("html[data-stream=open]")).to_have_count(1)
    await expect(second.locator(".toast-card")).to_contain_text("Still there?")


async def test_a_notice_becomes_a_toast_but_old_ones_do_not(club: Club, world, evening: Evening):
    page = await club.log_in("case")
    await expect(page.locator("#unread")).to_have_text("3")
    await expect(page.locator(".toast-card")).to_have_count(0)
    await world.game.notices.announce(evening.admin, "Doors close at eight.")
    await expect(page.locator(".toast-card")).to_contain_text("Doors close at eight.")
    await page.click("#bell summary")
    await expect(page.locator("#unread")).to_be_hidden()


async def test_news_disturb_nobody_who_is_about_to_do_something(club: Club, world):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/boxes/straylight")
    await expect(page.locator("html[data-stream=open]")).to_have_count(1)
    await page.fill("#box-flag", "FLAG{half a fl")
    await page.click("#ask-stop summary")
    await page.focus("#stop")
    async with page.expect_response("**/straylight/machine"), page.expect_response("**/straylight/flags"):
        world.bus.publish(EVERYONE, Event("resync"))
    await expect(page.locator("#machine.htmx-settling, #machine.htmx-swapping")).to_have_count(0)
    await expect(page.locator("#box-flag")).to_have_value("FLAG{half a fl")
    await expect(page.locator("#stop")).to_be_visible()
    await expect(page.locator("#stop")).to_be_focused()


async def test_news_that_come_before_the_stream_is_open_are_looked_up(club: Club, world):
    page, held = await club.log_in("case"), asyncio.Queue[Route]()
    await expect(page.locator("html[data-stream=open]")).to_have_count(1)
    await page.route(re.compile("/live[?]since="), held.put)
    await page.goto(f"{club.url}/boxes/straylight")
    stream = await held.get()
    world.bus.publish(EVERYONE, Event("boxes"))
    async with page.expect_response("**/straylight/machine"):
        await stream.continue_()


async def test_a_tab_that_was_opening_when_another_was_told_news_looks_them_up(club: Club, world):
    first = await club.log_in("case")
    await first.goto(f"{club.url}/boxes/straylight")
    await expect(first.locator("html[data-stream=open]")).to_have_count(1)
    second, held = await first.context.new_page(), asyncio.Queue[Route]()
    await second.route(re.compile("/app[^/]*[.]js"), held.put)
    opening = asyncio.create_task(second.goto(f"{club.url}/boxes/straylight"))
    script = await held.get()
    async with first.expect_response("**/straylight/machine"):
        world.bus.publish(EVERYONE, Event("boxes"))
    async with second.expect_response("**/straylight/machine"):
        await script.continue_()
    await opening


async def test_a_choice_outlives_news(club: Club, world):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/boxes/last-call")
    await expect(page.locator("html[data-stream=open]")).to_have_count(1)
    await page.get_by_label("wz02").check()
    async with page.expect_response("**/last-call/machine"):
        world.bus.publish(EVERYONE, Event("resync"))
    await expect(page.locator("#machine.htmx-settling, #machine.htmx-swapping")).to_have_count(0)
    await expect(page.get_by_label("wz02")).to_be_checked()


@dataclass
class Slow:
    """Keeps the answers to all requests for a part of a page, until they are let through one by one."""

    routes: asyncio.Queue[Route] = field(default_factory=asyncio.Queue)

    async def hold(self, page: Page, path: str) -> None:
        async def keep(route: Route) -> None:
            if route.request.method == "GET" and "hx-request" in route.request.headers:
                await self.routes.put(route)
            else:
                await route.continue_()

        await page.route(path, keep)


async def test_what_somebody_does_is_not_hidden_by_the_answer_to_an_older_request(club: Club, world):
    page, slow = await club.log_in("finn"), Slow()
    await page.goto(f"{club.url}/admin")
    await expect(page.locator("html[data-stream=open]")).to_have_count(1)
    await slow.hold(page, "**/admin")
    world.bus.publish(ADMINS, Event("provider"))
    older = await slow.routes.get()
    await page.get_by_role("button", name="Look again at club_docker").click()
    await expect(page.get_by_text("Looking…")).to_be_visible()
    async with page.expect_response("**/admin"):
        await older.continue_()
    await expect(page.get_by_text("Looking…")).to_be_visible()


async def test_news_that_come_while_a_part_is_fetched_let_it_be_fetched_once_more(club: Club, world, evening: Evening):
    page, slow = await club.log_in("case"), Slow()
    await page.goto(f"{club.url}/boxes/straylight")
    await expect(page.locator("html[data-stream=open]")).to_have_count(1)
    await page.evaluate("heard = 0; document.addEventListener('live:session', () => heard++)")
    await slow.hold(page, "**/straylight/machine")
    world.bus.publish(account_topic(evening.player.account_id), Event("session"))
    first = await slow.routes.get()
    older = await first.fetch()
    await world.game.play.stop(evening.player, "straylight")
    await page.wait_for_function("heard > 1")
    await first.fulfill(response=older)
    await (await slow.routes.get()).continue_()
    await expect(page.locator("#machine .state")).to_have_text("Stopping")


async def test_a_change_of_the_machine_is_told_to_those_who_do_not_see_it(club: Club, world, evening: Evening):
    page = await club.log_in("case")
    await page.goto(f"{club.url}/boxes/straylight")
    await expect(page.locator("html[data-stream=open]")).to_have_count(1)
    await world.game.play.stop(evening.player, "straylight")
    await expect(page.locator("#status")).to_have_text("Stopping")
