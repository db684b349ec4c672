"""What time brings: sessions that expire, an event that ends, a clock that jumps, rows that nobody needs any more."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import ChatsuboError
from chatsubo.domain.event import Phase
from chatsubo.domain.sessions import Event, Verb, transition
from chatsubo.domain.text import N_, Text
from chatsubo.jobs import Jobs
from chatsubo.lab.intents import ask_stop
from chatsubo.lab.pace import Pace
from chatsubo.live.news import News
from chatsubo.store import session_changes as changes
from chatsubo.store.database import Database
from chatsubo.store.event_window import read_window
from chatsubo.store.leftovers import remove_expired
from chatsubo.store.sessions import sessions_of_players

EXPIRED = N_("The time is up. Stopping the machine")

log = structlog.get_logger(__name__)


class Sweep:
    """Looks once a second."""

    def __init__(
        self,
        *,
        db: Database,
        jobs: Jobs,
        news: News,
        clock: Clock,
        pace: Pace,
        wake: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._jobs = jobs
        self._news = news
        self._clock = clock
        self._pace = pace
        self._wake = wake
        self._monotonic = monotonic
        self._seen = (clock(), monotonic())
        self._phase: Phase | None = None
        self._kept_house_at = -pace.housekeeping

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except ChatsuboError as error:
                log.warning("sweep.failed", reason=str(error))
            except Exception:
                log.exception("sweep.failed")
            await asyncio.sleep(self._pace.sweep)

    async def look(self) -> None:
        """Look at the clock, end what has expired or may not be, and keep house when it is time to."""
        await self._mind_the_clock()
        await self._end_expired()
        await self._mind_the_event()
        if self._monotonic() - self._kept_house_at >= self._pace.housekeeping:
            self._kept_house_at = self._monotonic()
            async with self._db.write() as tx:
                await remove_expired(tx, self._clock())
            await self._jobs.forget(self._pace.retention)

    async def _mind_the_clock(self) -> None:
        """Move the ends of sessions along with a wall clock that jumped.

        The monotonic clock tells how much time players really had: it goes on when the wall clock is set, and stands
        still while the machine is suspended (Linux, CLOCK_MONOTONIC).
        """
        (wall, steady), present = self._seen, (self._clock(), self._monotonic())
        expected = wall + timedelta(seconds=present[1] - steady)
        jump = present[0] - expected
        if abs(jump.total_seconds()) > self._pace.jump:
            async with self._db.write() as tx:
                moved = await changes.shift_expiries(tx, jump, expected)
            log.warning("sweep.clock_jumped", seconds=jump.total_seconds(), sessions=moved)
        self._seen = present

    async def _end_expired(self) -> None:
        now = self._clock()
        async with self._db.read() as tx:
            if not await changes.expired_sessions(tx, now):
                return
        async with self._db.write() as tx:
            found = await changes.expired_sessions(tx, now, lock=True)
            expired = [(session, transition(session.state, Event.ASK_STOP)) for session in found]
            for session, state in expired:
                await changes.set_intent(tx, session, state=state, verb=Verb.STOP, stage=Text(EXPIRED), now=now)
        for session, state in expired:
            log.info("session.expired", session=session.id)
            self._news.session(session.id, session.account_id, session.box_id, state)
        self._wake()

    async def _mind_the_event(self) -> None:
        """Stop what players have running while the event is not open, and tell everyone when it begins or ends."""
        async with self._db.read() as tx:
            phase = (await read_window(tx)).phase(self._clock())
            found = () if phase is Phase.OPEN else await sessions_of_players(tx)
        if found:
            await self._end_players()
        if self._phase not in (None, phase):
            self._news.boxes()
        self._phase = phase

    async def _end_players(self) -> None:
        async with self._db.write() as tx:
            stopped = [await ask_stop(tx, one.id, self._clock()) for one in await sessions_of_players(tx, lock=True)]
        for session in stopped:
            log.info("session.event_not_open", session=session.id)
            state = transition(session.state, Event.ASK_STOP)
            self._news.session(session.id, session.account_id, session.box_id, state)
        self._wake()
