"""The whole game as people play it: a real browser, a real Docker Engine, a flag taken over the network."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.needs import need
from tests.real.browser import open_browser, visit
from tests.real.dockerd import Dockerd
from tests.real.game.conftest import PORT
from tests.real.server import PASSWORD, Server, chatsubo

pytestmark = need.chromium


@pytest.fixture
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def log_in(page: Page, username: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Found a flag?").or_(page.get_by_placeholder("Found a flag?")).first).to_be_visible()


def register(page: Page, username: str) -> None:
    page.goto("/register")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Register").click()
    page.wait_for_url(lambda url: "register" not in url)


def make_the_box(page: Page, server: Server) -> None:
    """As an organiser: make a box of the template, with the form that its labels filled in, and release it."""
    done = chatsubo("user", "create", "finn", "--role", "admin", "--config", str(server.file), "--json")
    log_in(page, "finn", json.loads(done.stdout)["password"])
    page.goto("/admin/templates")
    page.locator("article", has=page.get_by_role("heading", name="hello")).get_by_role(
        "link", name="Make a box"
    ).click()
    expect(page.get_by_label("Name").first).to_have_value("hello")
    expect(page.locator("[name='flags.0.name']")).to_have_value("first")
    expect(page.locator("[name='flags.0.points']")).to_have_value("250")
    expect(page.locator("[name='flags.0.dynamic']")).to_be_checked()
    page.get_by_label("Name").first.fill("Hello, Docker")
    page.get_by_label("New track").fill("Warm-up")
    page.get_by_role("button", name="Register the box").click()
    page.goto("/admin/boxes")
    page.get_by_label("Actions for Hello, Docker").click()
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("Released", exact=True)).to_be_visible()


def test_from_the_organisers_form_to_the_players_place_on_the_scoreboard(
    server: Server, dockerd: Dockerd, browser: Browser
) -> None:
    with visit(browser, server.url) as desk, visit(browser, server.url) as page:
        make_the_box(desk, server)

        register(page, "case")
        page.goto("/tracks")
        page.get_by_role("link", name="Hello, Docker").first.click()
        page.get_by_role("button", name="Start", exact=True).click()
        machine = page.locator("#machine")
        expect(machine.get_by_text("Running", exact=True)).to_be_visible()
        expect(machine).to_contain_text("Its service answers.")
        expect(machine).to_contain_text(re.compile(r"ssh level0@\d+"))

        address = re.search(r"\d+\.\d+\.\d+\.\d+", machine.inner_text())
        assert address is not None
        flag = dockerd.read_from(address[0], PORT).decode().strip()
        page.get_by_label("A flag of this box").fill("FLAG{not this one}")
        page.locator("#flags").get_by_role("button", name="Submit").click()
        expect(page.get_by_text("That is not a flag of yours.")).to_be_visible()
        page.get_by_label("A flag of this box").fill(flag)
        page.locator("#flags").get_by_role("button", name="Submit").click()
        expect(page.locator("li.flag.is-found")).to_have_count(1)

        page.goto("/scoreboard")
        expect(page.get_by_role("row", name=re.compile("case.*250"))).to_be_visible()
        desk.goto("/admin/submissions")
        expect(desk.get_by_text(flag)).to_be_visible()


def test_a_page_that_stays_open_follows_the_machine_without_reloading(
    server: Server, dockerd: Dockerd, browser: Browser
) -> None:
    slug = server.release(server.organiser(), "hello")
    with visit(browser, server.url) as page, visit(browser, server.url, width=390, height=844) as phone:
        register(page, "case")
        log_in(phone, "case", PASSWORD)
        for one in (page, phone):
            one.goto(f"/boxes/{slug}")
        page.get_by_role("button", name="Start", exact=True).click()
        for one in (page, phone):
            expect(one.locator("#machine").get_by_text("Running", exact=True)).to_be_visible()
        first = phone.locator("#machine [data-until]").inner_text()
        expect(phone.locator("#machine [data-until]")).not_to_have_text(first)
        (container,) = dockerd.containers("chatsubo.session")
        flag = dockerd.execute(container["Id"], "cat /root/flag").strip()
        page.get_by_label("A flag of this box").fill(flag)
        page.keyboard.press("Enter")
        for one in (page, phone):
            expect(one.locator("li.flag.is-found")).to_have_count(1)
        page.locator("#machine summary", has_text="Stop").click()
        page.get_by_role("button", name="Stop it").click()
        for one in (page, phone):
            expect(one.get_by_role("button", name="Start", exact=True)).to_be_visible()
