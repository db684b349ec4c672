"""Keeps the gates: each has the present picture of who may reach what, and the database knows how each is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from chatsubo.domain.clock import Clock
from chatsubo.game.gate_telling import GateTelling
from chatsubo.game.gate_watch import GatePace, GateWatch
from chatsubo.gates import Gates
from chatsubo.live.bus import ADMINS, EVERYONE, RESYNC, Bus
from chatsubo.live.news import News
from chatsubo.store.database import Database
from chatsubo.store.gate_reports import forget_gates

MATTERS = frozenset({"accounts", "boxes", "desk", "provider", RESYNC.name})
"""The news after which somebody may reach something else: of accounts, boxes, sessions and machines."""


class Gatekeeping:
    """The watches over all gates.

    What changes who may reach what is told on the bus; what another process changed is found within a second.

    Args:
        db: The database.
        clock: The time of day.
        gates: The configured gates.
        bus: Carries the news.
        pace: How often to look.
    """

    def __init__(self, db: Database, clock: Clock, gates: Gates, bus: Bus, pace: GatePace | None = None) -> None:
        self._db = db
        self._bus = bus
        news = News(bus)
        self._watches = [
            GateWatch(
                db,
                clock,
                client,
                telling=GateTelling(
                    db,
                    client,
                    realms=gates.realms_of(url),
                    connecting_back=gates.connecting_back(url),
                    news=news,
                    clock=clock,
                ),
                news=news,
                pace=pace or GatePace(),
            )
            for url, client in gates.by_url.items()
        ]

    def wake(self) -> None:
        """Tell the gates soon who may reach what. Cheap, never raises."""
        for watch in self._watches:
            watch.wake()

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep the gates for as long as the context lasts."""
        await self._forget_others()
        running = asyncio.create_task(self.run(), name="gates")
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def run(self) -> None:
        """Watch all gates until cancelled, side by side."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            for watch in self._watches:
                group.create_task(watch.run())

    async def _follow(self) -> None:
        with self._bus.subscribe((EVERYONE, ADMINS)) as news:
            async for event in news:
                if event.name in MATTERS:
                    self.wake()

    async def _forget_others(self) -> None:
        """Forget what is known of gates that are not configured any more. Asks no gate."""
        async with self._db.write() as tx:
            await forget_gates(tx, [watch.url for watch in self._watches])
