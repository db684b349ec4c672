"""When the event is, as organisers set it and everyone sees it."""

from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from msgspec import Struct

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import Invalid
from chatsubo.domain.event import Window
from chatsubo.domain.text import N_
from chatsubo.game.actor import Actor
from chatsubo.live.news import News
from chatsubo.store.database import Database
from chatsubo.store.event_window import read_window, write_window

log = structlog.get_logger("chatsubo.game.event")


class EventView(Struct, frozen=True, kw_only=True):
    """When players play: from ``opens_at`` until ``closes_at``, where there are such. ``phase`` is where we are.

    It is ``before``, ``open`` or ``over``.
    """

    opens_at: datetime | None
    closes_at: datetime | None
    phase: str


class Event:
    """The time in which players play.

    Args:
        db: Where it is kept.
        clock: The time of day.
        news: Tells everyone when it changes.
        wake: Tells the lab that there may be something to stop.
    """

    def __init__(self, db: Database, clock: Clock, news: News, wake: Callable[[], None]) -> None:
        self._db = db
        self._clock = clock
        self._news = news
        self._wake = wake

    async def view(self) -> EventView:
        """Return when the event is, and whether that is now."""
        async with self._db.read() as tx:
            window = await read_window(tx)
        return EventView(opens_at=window.opens_at, closes_at=window.closes_at, phase=window.phase(self._clock()).value)

    async def set_window(self, actor: Actor, opens_at: datetime | None, closes_at: datetime | None) -> None:
        """Set when the event is. Outside of it players play nothing, and what they have running is stopped.

        Args:
            actor: Who sets it.
            opens_at: Its first moment, with a time zone; ``None`` for none.
            closes_at: The first moment after it, likewise.

        Raises:
            Forbidden: If the actor is no organiser.
            Invalid: If the end does not come after the start.
        """
        actor.must_be_admin()
        window = Window(_in_utc("opens_at", opens_at), _in_utc("closes_at", closes_at))
        if window.opens_at and window.closes_at and window.closes_at <= window.opens_at:
            raise Invalid.field("closes_at", N_("The end has to come after the start."))
        async with self._db.write() as tx:
            await write_window(tx, window)
        log.info("event.set", opens_at=str(window.opens_at), closes_at=str(window.closes_at), by=actor.username)
        self._news.boxes()
        self._wake()


def _in_utc(field: str, at: datetime | None) -> datetime | None:
    try:
        return at and at.astimezone(UTC)
    except OverflowError:
        raise Invalid.field(field, N_("Write a day and a time, such as 2026-11-28 18:00.")) from None
