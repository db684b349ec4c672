"""The lab: everything that talks to hypervisors, in one place to start and to stop."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog

from chatsubo.domain.clock import Clock, utc_now
from chatsubo.jobs import Jobs
from chatsubo.lab.dispatch import Dispatcher
from chatsubo.lab.inventory import Inventory
from chatsubo.lab.lifecycle import Lifecycle
from chatsubo.lab.pace import Pace
from chatsubo.lab.reconcile import Reconciler
from chatsubo.lab.shared import SharedResets
from chatsubo.lab.strays import Strays
from chatsubo.lab.sweep import Sweep
from chatsubo.live.bus import Bus
from chatsubo.live.news import News
from chatsubo.providers.base import BaseProvider
from chatsubo.store.database import Database

CLOSING_RUNS = 0.7
CLOSING_REST = 1.0
STALLED = 30.0

log = structlog.get_logger(__name__)


class Lab:
    """Starts, resets, stops and watches machines. One per process that talks to hypervisors."""

    def __init__(
        self,
        db: Database,
        jobs: Jobs,
        providers: Mapping[str, BaseProvider],
        bus: Bus,
        clock: Clock = utc_now,
        *,
        pace: Pace | None = None,
    ) -> None:
        """Put the parts together; nothing is asked and nothing is opened yet.

        Args:
            db: Where everything is kept; it is not closed here.
            jobs: The durable engine; it is launched and shut down here.
            providers: The configured providers by name; they are not closed here.
            bus: Where changes are told.
            clock: The time of day.
            pace: How long to wait for what.
        """
        pace = pace or Pace()
        news = News(bus)
        self._jobs = jobs
        self._pace = pace
        self._providers = providers
        self._tasks: list[asyncio.Task[None]] = []
        self._lifecycle = Lifecycle(
            db=db, providers=providers, news=news, clock=clock, pace=pace, after=self._after_work
        )
        self._dispatcher = Dispatcher(
            db=db, jobs=jobs, lifecycle=self._lifecycle, providers=providers, news=news, clock=clock, pace=pace
        )
        self._strays = Strays(pace)
        reconciler = Reconciler(
            db=db, news=news, clock=clock, strays=self._strays, wake=self.wake, look_again=self.refresh
        )
        self._inventory = Inventory(
            db=db, providers=providers, reconciler=reconciler, news=news, clock=clock, pace=pace
        )
        self._shared = SharedResets(
            db=db, providers=providers, news=news, clock=clock, pace=pace, after=self._after_work
        )
        self._sweep = Sweep(db=db, jobs=jobs, news=news, clock=clock, pace=pace, wake=self.wake)

    async def start(self) -> None:
        """Launch the engine, take up what an earlier process left, and begin to watch. Waits for no provider.

        Raises:
            EngineInUse: If another process works on the same database.
            Unavailable: If a database cannot be opened.
        """
        self._jobs.handle_with(self._lifecycle.carry_out)
        await self._jobs.launch()
        try:
            await self._inventory.prepare()
        except BaseException:
            await self._jobs.shutdown()
            raise
        parts = {
            "dispatcher": self._dispatcher.run,
            "sweep": self._sweep.run,
            "inventory": self._inventory.run,
            "strays": self._strays.run,
            "shared machines": self._shared.run,
        }
        self._tasks = [asyncio.create_task(_kept_up(run), name=name) for name, run in parts.items()]

    async def aclose(self) -> None:
        """Stop within two seconds. What is under way is taken up again at the next start."""
        for task in self._tasks:
            task.cancel()
        await self._lifecycle.aclose(CLOSING_RUNS)
        await self._jobs.shutdown()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSING_REST)
        self._tasks.clear()

    def wake(self) -> None:
        """Look for new intents now. Call it after the commit of an intent; cheap, never raises."""
        self._dispatcher.wake()
        self._shared.wake()

    def refresh(self, provider: str) -> None:
        """Look at a provider again soon, and at everything there."""
        if provider in self._providers:
            try:
                self._providers[provider].forget()
            except Exception:
                log.exception("provider.misbehaved", provider=provider)
        self._inventory.refresh(provider)

    def health(self) -> Mapping[str, str]:
        """Return what is wrong, by part; empty when all is well. Providers that are away are no reason."""
        wrong = {task.get_name(): "it has ended" for task in self._tasks if task.done()}
        if not self._tasks:
            wrong["lab"] = "it is not started"
        since = time.monotonic() - self._dispatcher.looked_at
        if since > STALLED:
            wrong["dispatcher"] = f"it has not looked at the database for {since:.0f} s"
        if trouble := self._jobs.trouble():
            wrong["engine"] = trouble
        return wrong

    def _after_work(self, provider: str) -> None:
        self._dispatcher.wake()
        self._inventory.refresh(provider)


async def _kept_up(part: Callable[[], Awaitable[None]]) -> None:
    """Run a part of the lab until cancelled, whatever happens to it."""
    while True:
        try:
            await part()
        except Exception:
            log.exception("lab.part_failed")
        await asyncio.sleep(1)
