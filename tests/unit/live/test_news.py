"""What is told to browsers."""

import inspect
import re
from pathlib import Path

from chatsubo.live.bus import ADMINS, EVERYONE, RESYNC, Bus, account_topic
from chatsubo.live.news import LOGIN, News

SCRIPT = Path(__file__).parents[3] / "frontend" / "src" / "live.ts"


async def _told(bus: Bus, tell: News) -> dict[str, set[str]]:
    """Return which topics hear each event when everything happens once, to account 7."""
    heard: dict[str, set[str]] = {}
    for topic in (EVERYONE, ADMINS, account_topic(7), account_topic(8)):
        with bus.subscribe([topic]) as subscription:
            tell.session("abc", 7, 1, "running")
            tell.provider("lab", boxes=True)
            tell.boxes()
            tell.solve(7, 1, 2)
            tell.submission()
            tell.standings("3")
            tell.notice(7)
            tell.notice()
            tell.vpn(7)
            tell.gates(players=True)
            tell.barred(7)
            bus.close()
            async for event in subscription:
                heard.setdefault(event.name, set()).add(topic)
        bus, tell = (fresh := Bus()), News(fresh)
    return heard


async def test_each_event_is_told_to_those_whom_it_concerns() -> None:
    bus = Bus()
    assert await _told(bus, News(bus)) == {
        "session": {account_topic(7)},
        "desk": {ADMINS},
        "provider": {ADMINS},
        "boxes": {EVERYONE},
        "solve": {account_topic(7)},
        "submission": {ADMINS},
        "standings": {EVERYONE},
        "notice": {EVERYONE, account_topic(7)},
        "vpn": {EVERYONE, account_topic(7)},
        "gates": {ADMINS},
        LOGIN.name: {account_topic(7)},
        "accounts": {ADMINS},
    }


async def test_the_pages_script_listens_to_every_event() -> None:
    bus = Bus()
    names = {*await _told(bus, News(bus)), RESYNC.name} - {LOGIN.name}  # which the server keeps: streams look and end
    listed = re.search(r"const NAMES = \[(.*?)\]", SCRIPT.read_text(), re.DOTALL)
    assert listed is not None
    assert set(re.findall(r'"(\w+)"', listed[1])) == names


def test_nothing_is_told_elsewhere() -> None:
    sources = Path(inspect.getfile(Bus)).parents[1]
    publishers = {
        path.relative_to(sources).as_posix() for path in sources.rglob("*.py") if ".publish(" in path.read_text()
    }
    assert publishers == {"live/news.py"}
