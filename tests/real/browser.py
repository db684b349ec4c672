"""A real browser: Chromium, driven by Playwright. What its pages complain about fails the test."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.needs import chromium

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 90_000
"""Milliseconds to wait for what is to be seen: far more than it takes, even where the machine is busy."""

expect.set_options(timeout=PATIENCE)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Give a Chromium without any window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser, url: str, *, width: int = 1280, height: int = 900) -> Iterator[Page]:
    """Give a page in a browser profile of its own; afterwards no script may have failed in it.

    Raises:
        AssertionError: If the page's console holds an error.
    """
    context = browser.new_context(base_url=url, viewport={"width": width, "height": height}, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert complaints == []
