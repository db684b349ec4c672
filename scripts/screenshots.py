"""Takes the pictures of the README and the guides: starts a demo, plays a little, and photographs its pages.

``make screenshots`` writes them to ``docs/pictures``; ``--to FOLDER`` elsewhere, ``--all`` every page in each look
(dark, light, on a phone), for people who work on how it looks.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
BOX_LINK = "main a[href*='/boxes/']"
START = "#machine form[action$='/start'] button"


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at: colours and the size of the screen in pixels."""

    name: str
    colours: Literal["dark", "light"]
    width: int
    height: int
    density: float = 1.5


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture: its name, where it is taken, and as whom.

    ``follow`` is a link to go through on that page; with ``start`` a machine is started there first.
    """

    name: str
    path: str
    role: Literal["player", "admin"] = "player"
    follow: str | None = None
    start: bool = False


DARK = Look("dark", "dark", 1280, 800)
LOOKS = (DARK, Look("light", "light", 1280, 800), Look("phone", "dark", 390, 844))
PUBLISHED = (Shot("box", "tracks", follow=BOX_LINK, start=True),)
ALL = (
    *PUBLISHED,
    Shot("home", ""),
    Shot("tracks", "tracks"),
    Shot("scoreboard", "scoreboard"),
    Shot("users", "users"),
    Shot("profile", "users/linda"),
    Shot("notices", "notices"),
    Shot("settings", "settings"),
    Shot("desk", "admin", role="admin"),
    Shot("templates", "admin/templates", role="admin"),
    Shot("register", "admin/boxes/new?template=chiba-jukebox", role="admin"),
    Shot("boxes", "admin/boxes", role="admin"),
    Shot("machines", "admin/sessions", role="admin"),
    Shot("submissions", "admin/submissions", role="admin"),
    Shot("announce", "admin/announce", role="admin"),
    Shot("home-editor", "admin/home", role="admin"),
    Shot("missing", "nowhere"),
)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@contextmanager
def demo() -> Iterator[dict[str, Any]]:
    """Runs a demo with data of its own; yields what it says of itself: ``url``, ``admin``, ``player``.

    Raises:
        RuntimeError: the demo ended before it was ready.
    """
    program = Path(sys.executable).parent / "chatsubo"
    with tempfile.TemporaryDirectory(prefix="chatsubo-screenshots-") as data:
        command = [str(program), "demo", "--json", "--port", str(free_port()), "--data", data]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                message = "the demo did not start; its output above says why"
                raise RuntimeError(message)
            yield json.loads(line)
        finally:
            process.terminate()
            process.wait(timeout=10)


def log_in(browser: Browser, look: Look, about: dict[str, Any], role: str) -> Page:
    """Opens a page in the given look, logged in with the given role."""
    screen = {"width": look.width, "height": look.height}
    context = browser.new_context(color_scheme=look.colours, viewport=screen, device_scale_factor=look.density)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{about['url'].rstrip('/')}/login")
    page.fill("main input[name=username]", about[role]["username"])
    page.fill("main input[name=password]", about[role]["password"])
    page.press("main input[name=password]", "Enter")
    page.wait_for_url(lambda url: not url.endswith("/login"))
    page.goto(f"{about['url'].rstrip('/')}/settings")
    page.select_option("#theme", look.colours)
    page.click("main form[action$='/settings/preferences'] button")
    page.wait_for_load_state("load")
    return page


def take(page: Page, url: str, shot: Shot, target: Path) -> None:
    """Goes where the shot is taken and takes it."""
    page.goto(f"{url.rstrip('/')}/{shot.path}")
    if shot.follow:
        page.locator(shot.follow).first.click()
        page.wait_for_load_state("load")
    if shot.start and page.locator(START).count():
        page.locator(START).click()
        page.locator("#machine [data-until]").wait_for()
    page.screenshot(path=target)
    sys.stderr.write(f"==> {target}\n")


def photograph(about: dict[str, Any], shots: tuple[Shot, ...], looks: tuple[Look, ...], folder: Path) -> None:
    """Takes every shot in every look; the name of a picture tells its look where there are several."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for look in looks:
            pages: dict[str, Page] = {}
            for shot in shots:
                if shot.role not in pages:
                    pages[shot.role] = log_in(browser, look, about, shot.role)
                suffix = f"-{look.name}" if len(looks) > 1 else ""
                take(pages[shot.role], about["url"], shot, folder / f"{shot.name}{suffix}.png")
        browser.close()


def main() -> None:
    """Reads the options and takes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "pictures", help="the folder for the pictures")
    parser.add_argument("--all", action="store_true", help="every page in each look")
    options = parser.parse_args()
    if shutil.which("chromium") is None:
        sys.exit("There is no Chromium: `make lab` installs it (Debian, as root).")
    options.to.mkdir(parents=True, exist_ok=True)
    with demo() as about:
        shots, looks = (ALL, LOOKS) if options.all else (PUBLISHED, (DARK,))
        photograph(about, shots, looks, options.to)


if __name__ == "__main__":
    main()
