"""From intents to workflows: who waits is admitted as places become free, and every intent gets its workflow.

All of it is decided by what our own tables say, each time anew, so that nothing is lost with a process: an intent
whose workflow the engine does not know is started, one whose workflow ended without an outcome is started again.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import structlog

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import ChatsuboError
from chatsubo.domain.sessions import State, Verb
from chatsubo.domain.text import N_
from chatsubo.jobs import Jobs, Started
from chatsubo.lab.lifecycle import Lifecycle
from chatsubo.lab.pace import Pace
from chatsubo.live.news import News
from chatsubo.providers.base import BaseProvider
from chatsubo.store.database import Database
from chatsubo.store.queue import Intent, admit, pending_intents
from chatsubo.store.session_changes import renew_intent
from chatsubo.store.sessions import get_session

STAGES = {
    Verb.START: N_("Starting the machine"),
    Verb.RESET: N_("Bringing the machine back to its initial state"),
}
MOST_DOUBLINGS = 16
"""Of the delay between renewals; far beyond the longest delay, and far below what a float holds."""

GIVE_UP_AFTER = 5
MOVED_UP = 2.0
"""Those who wait are told that they moved up once in so many seconds, at most."""
_STATES = {Verb.START: State.PROVISIONING, Verb.RESET: State.RESETTING, Verb.STOP: State.STOPPING}

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Trouble:
    """What is remembered of an intent that did not go as it should.

    Attributes:
        generation: Which generation was asked about last.
        renewals: How often it was taken up again.
        due: When to take it up again, in seconds of the monotonic clock; ``None`` while its workflow may yet end.
        unclaimed_since: Since when the engine says that it is under way, though it is not here.
    """

    generation: int
    renewals: int = 0
    due: float | None = None
    unclaimed_since: float | None = None


class Dispatcher:
    """Admits sessions and starts workflows. It acts at once when it is woken, and looks by itself every second."""

    def __init__(
        self,
        *,
        db: Database,
        jobs: Jobs,
        lifecycle: Lifecycle,
        providers: Mapping[str, BaseProvider],
        news: News,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self.looked_at = time.monotonic()
        self._db = db
        self._jobs = jobs
        self._lifecycle = lifecycle
        self._providers = providers
        self._news = news
        self._clock = clock
        self._pace = pace
        self._woken = asyncio.Event()
        self._troubles: dict[str, _Trouble] = {}
        self._moved = False
        self._moved_up_at = 0.0

    def wake(self) -> None:
        """Look for intents now."""
        self._woken.set()

    async def run(self) -> None:
        """Look for intents until cancelled."""
        while True:
            self._woken.clear()
            try:
                await self.look()
            except ChatsuboError as error:
                log.warning("dispatch.failed", reason=str(error))
            except Exception:
                log.exception("dispatch.failed")
            try:
                async with asyncio.timeout(self._pace.sweep):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Admit who can be admitted, and see to it that every admitted intent has its workflow."""
        intents = await self._pending()
        if admitted := await self._admit(intents):
            intents = await self._pending()  # whoever came since may be among the admitted
        self._tell(intents, admitted)
        self._troubles = {
            one.session_id: self._troubles[one.session_id] for one in intents if one.session_id in self._troubles
        }
        for intent in intents:
            if intent.admitted and not self._lifecycle.runs.has(intent.session_id, intent.generation):
                await self._start_alone(intent)
        self.looked_at = time.monotonic()

    async def _pending(self) -> Sequence[Intent]:
        async with self._db.read() as tx:
            return await pending_intents(tx)

    async def _admit(self, intents: Sequence[Intent]) -> Collection[str]:
        """Give out what places are free, and return the sessions that were given one."""
        waiting: set[str] = set()
        placed: dict[str, set[str]] = defaultdict(set)
        for intent in intents:
            if not intent.admitted:
                waiting.add(intent.provider)
            elif intent.verb is not Verb.STOP:
                placed[intent.provider].add(intent.session_id)
        admitted: set[str] = set()
        for provider in waiting:
            known = self._providers.get(provider)
            places = len(intents) if known is None else known.max_concurrent_starts  # without one they fail at once
            held = self._lifecycle.runs.holding(provider)
            if len(placed[provider] | held) < places:
                async with self._db.write() as tx:
                    admitted |= await admit(tx, provider, places, stages=STAGES, held=held, now=self._clock())
        return admitted

    def _tell(self, intents: Sequence[Intent], admitted: Collection[str]) -> None:
        """Tell those who were admitted, and now and then, since they moved up, those who wait on."""
        self._moved = self._moved or bool(admitted)
        moved_up = self._moved and time.monotonic() - self._moved_up_at >= MOVED_UP
        for one in intents:
            if one.session_id in admitted:
                self._news.session(one.session_id, one.account_id, one.box_id, _STATES[one.verb])
            elif moved_up and not one.admitted:
                state = State.QUEUED if one.verb is Verb.START else State.RESETTING
                self._news.session(one.session_id, one.account_id, one.box_id, state)
        if moved_up:
            self._moved, self._moved_up_at = False, time.monotonic()

    async def _start_alone(self, intent: Intent) -> None:
        """Start the intent's workflow; whatever is wrong with it holds up no other intent."""
        try:
            await self._start(intent)
        except ChatsuboError as error:
            log.warning("dispatch.failed", session=intent.session_id, reason=str(error))
        except Exception:
            log.exception("dispatch.failed", session=intent.session_id)

    async def _start(self, intent: Intent) -> None:
        """Start the intent's workflow; of one that was started before, watch that it ends as it should."""
        trouble = self._troubles.get(intent.session_id)
        if trouble is not None and trouble.generation == intent.generation and trouble.due is not None:
            if time.monotonic() >= trouble.due:
                await self._renew(intent, trouble)
            return
        started = await self._jobs.start(intent.session_id, intent.generation, intent.verb)
        if started is Started.NEW:
            return
        if trouble is None:
            trouble = self._troubles[intent.session_id] = _Trouble(intent.generation)
        elif trouble.generation != intent.generation:
            trouble.generation, trouble.unclaimed_since = intent.generation, None
        if started is Started.ENDED:
            trouble.due = time.monotonic() + self._delay(intent, trouble)
        elif trouble.unclaimed_since is None:
            trouble.unclaimed_since = time.monotonic()
        elif time.monotonic() - trouble.unclaimed_since > self._pace.unclaimed:
            trouble.due = time.monotonic()

    def _delay(self, intent: Intent, trouble: _Trouble) -> float:
        most = self._pace.renew_removal_most if intent.ended else self._pace.renew_most
        return min(most, self._pace.retry_first * 2.0 ** min(trouble.renewals, MOST_DOUBLINGS))

    async def _renew(self, intent: Intent, trouble: _Trouble) -> None:
        """Take an intent up again, under the next generation and so with a workflow of its own."""
        trouble.renewals += 1
        log.warning("dispatch.renewed", session=intent.session_id, verb=intent.verb, renewals=trouble.renewals)
        if intent.verb is not Verb.STOP and trouble.renewals > GIVE_UP_AFTER:
            async with self._db.read() as tx:
                session = await get_session(tx, intent.session_id)
            if session is not None and session.generation == intent.generation:
                await self._lifecycle.give_up(session)
            return
        async with self._db.write() as tx:
            renewed = await renew_intent(tx, intent.session_id, intent.generation)
        if renewed:
            trouble.generation, trouble.due, trouble.unclaimed_since = intent.generation + 1, None, None
            await self._jobs.start(intent.session_id, intent.generation + 1, intent.verb)
