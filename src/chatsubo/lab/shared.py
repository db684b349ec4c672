"""Machines that all players share: brought back to their initial state once the announced moment has come.

What is to be done stands in the table of resets, and nowhere else: a process that is killed in the middle of a reset
leaves it marked as under way, and the next one begins it again, which does a machine no harm.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import ChatsuboError
from chatsubo.domain.text import N_, Text
from chatsubo.lab.calls import bounded
from chatsubo.lab.committing import committed
from chatsubo.lab.lifecycle import DETAIL, ProviderGone
from chatsubo.lab.output import clean
from chatsubo.lab.pace import Pace, Tries
from chatsubo.lab.progress import WrittenProgress
from chatsubo.live.news import News
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.exc import ProviderError
from chatsubo.store.database import Database
from chatsubo.store.notices import insert_notice
from chatsubo.store.shared_resets import SharedReset, begin_reset, due_resets, end_reset, get_reset, write_reset_stage

WAS_RESET = N_("{box} in {realm} was brought back to its initial state.")
NOT_RESET = N_("{box} in {realm} could not be brought back to its initial state: {reason}")

log = structlog.get_logger(__name__)


class SharedResets:
    """Carries out the resets that are due, at most as many at once on a provider as it may start machines."""

    def __init__(
        self,
        *,
        db: Database,
        providers: Mapping[str, BaseProvider],
        news: News,
        clock: Clock,
        pace: Pace,
        after: Callable[[str], None],
    ) -> None:
        """Keep what is needed.

        Args:
            db: Where resets are.
            providers: The configured providers by name.
            news: Where changes are told.
            clock: The time of day.
            pace: How long to wait for what.
            after: Called with a provider's name whenever something was done there.
        """
        self._db = db
        self._providers = providers
        self._news = news
        self._clock = clock
        self._pace = pace
        self._after = after
        self._woken = asyncio.Event()
        self._under_way: dict[int, tuple[str, asyncio.Task[None]]] = {}

    def wake(self) -> None:
        """Look for resets now."""
        self._woken.set()

    async def run(self) -> None:
        """Look for resets that are due until cancelled; those under way are called off then."""
        try:
            while True:
                self._woken.clear()
                try:
                    await self.look()
                except ChatsuboError as error:
                    log.warning("shared.failed", reason=str(error))
                try:
                    async with asyncio.timeout(self._pace.sweep):
                        await self._woken.wait()
                except TimeoutError:
                    continue
        finally:
            tasks = [task for _, task in self._under_way.values()]
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    async def look(self) -> None:
        """Begin the resets that are due, as far as there are places."""
        async with self._db.read() as tx:
            due = await due_resets(tx, self._clock())
        for reset in due:
            if reset.id in self._under_way or not self._has_place(reset.provider):
                continue
            task = asyncio.create_task(self._carry_out(reset))
            self._under_way[reset.id] = (reset.provider, task)
            task.add_done_callback(partial(self._over, reset.id))

    def _has_place(self, provider: str) -> bool:
        known = self._providers.get(provider)
        held = sum(name == provider for name, _ in self._under_way.values())
        return known is None or held < known.max_concurrent_starts

    def _over(self, reset_id: int, task: asyncio.Task[None]) -> None:
        del self._under_way[reset_id]
        if task.cancelled():
            return
        if (error := task.exception()) is None:
            self.wake()
        else:
            # It is taken up again at the sweep's pace: at once, a full disk would keep everything busy.
            log.error("shared.broken", reset=reset_id, reason=repr(error))

    async def _carry_out(self, reset: SharedReset) -> None:
        async with self._db.write() as tx:
            if not await begin_reset(tx, reset.id):
                return
        self._news.boxes()

        async def write(stage: Text | None, _: str | None) -> None:
            await self._tell(reset, stage)

        progress = WrittenProgress(write, {}, "", self._pace)
        try:
            async with progress.written():
                await self._tries(reset, progress)
        except ProviderError as error:
            log.warning("shared.reset_failed", box=reset.box_slug, provider=reset.provider, reason=error.detail)
            await self._end(reset, error)
        else:
            log.info("shared.reset", box=reset.box_slug, provider=reset.provider, realm=reset.realm)
            await self._end(reset, None)
        self._after(reset.provider)

    async def _tries(self, reset: SharedReset, progress: WrittenProgress) -> None:
        """Call the provider until it works, as long as it advises to try again and there is time."""
        provider = self._providers.get(reset.provider)
        if provider is None:
            raise ProviderGone(f"no provider {reset.provider!r} is configured")
        deadline = time.monotonic() + provider.start_timeout
        tries = Tries(self._pace, deadline)
        while True:
            try:
                call = provider.reset(reset.realm, reset.template, progress=progress)
                await bounded(call, max(0.0, deadline - time.monotonic()), self._pace.calling_off)
            except ProviderError as error:
                wait = tries.wait_after(error)
                progress.stage(error.text)
                await asyncio.sleep(wait)
            else:
                return

    async def _tell(self, reset: SharedReset, stage: Text | None) -> None:
        if stage is None:
            return
        async with self._db.write() as tx:
            await write_reset_stage(tx, reset.id, stage)
        self._news.boxes()

    async def _end(self, reset: SharedReset, error: ProviderError | None) -> None:
        """Write down how it ended, and the notice of it; of a box that players do not see, who asked is told alone."""
        detail = None if error is None else clean(error.detail)[:DETAIL]
        reader: int | None = None

        async def write(tx: AsyncConnection) -> bool:
            nonlocal reader
            if not await end_reset(tx, reset.id, self._clock(), error.text if error else None, detail):
                return False
            now = await get_reset(tx, reset.id)  # the box may have been renamed, or taken out of play, meanwhile
            reader = None if now.for_everyone else now.asked_by
            words = {"box": now.box, "realm": now.realm}
            await insert_notice(
                tx,
                account_id=reader,
                kind="bad" if error else "info",
                text=Text(NOT_RESET, {**words, "reason": error.text}) if error else Text(WAS_RESET, words),
                link=f"/boxes/{now.box_slug}",
                at=self._clock(),
            )
            return True

        if await committed(self._db, write):
            self._news.boxes()
            self._news.notice(reader)
