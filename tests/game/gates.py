"""Gates that are kept: what the tests of gatekeeping share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from chatsubo.config.models import Gate
from chatsubo.game import Actor
from chatsubo.game.gate_watch import GatePace
from chatsubo.game.gatekeeping import Gatekeeping
from chatsubo.game.vpn import Vpn
from chatsubo.game.vpn_views import GateView, RealmAccess
from chatsubo.gates import Gates
from chatsubo.live.bus import Bus
from chatsubo.live.news import News
from chatsubo.store.gate_pictures import TakenPicture, taken_picture
from tests.game.world import World
from tests.unit.gates.gate import Network, gate

QUICK = GatePace(settle=0.0, picture=0.02, look=0.02, retry=0.02, retry_most=0.05, traffic=0.0)
BY_NEWS_ALONE = replace(QUICK, picture=3600.0)
ONE, TWO = gate("one.example"), gate("two.example")
SHARED = "10.0.0.5"
LONG = 60.0
"""Seconds within which what is waited for has to come, however busy the machine is."""


@dataclass
class Kept:
    """Gates that are kept, in one process."""

    world: World
    gates: Gates
    vpn: Vpn
    keeping: Gatekeeping

    async def status(self, actor: Actor) -> RealmAccess:
        """Return an actor's way into the only realm."""
        (found,) = await self.vpn.status(actor)
        return found

    async def connected(self, actor: Actor) -> bool:
        """Say whether an actor is known to be connected."""
        return bool((await self.status(actor)).connected)

    async def away(self, actor: Actor) -> bool:
        """Say whether an actor's gate is known to be away."""
        return (await self.status(actor)).away

    async def well(self, actor: Actor) -> bool:
        """Say whether an actor's gate is known to be well."""
        return not await self.away(actor)

    async def views(self, admin: Actor) -> dict[str, GateView]:
        """Return the gates by the first part of their names."""
        return {one.url.removeprefix("http://").partition(".")[0]: one for one in await self.vpn.gates(admin)}

    async def taken(self, url: str) -> TakenPicture | None:
        """Return what a gate took last."""
        async with self.world.db.read() as tx:
            return await taken_picture(tx, url)


@asynccontextmanager
async def kept(
    world: World, network: Network, *gates: Gate, pace: GatePace = QUICK, bus: Bus | None = None, limit: float = LONG
) -> AsyncIterator[Kept]:
    """Keep gates as one process does, on the world's bus or, as another process, on one of its own.

    Args:
        world: The game.
        network: The gates that can be reached.
        gates: Those that are configured.
        pace: How often to look.
        bus: Carries the process's news.
        limit: Seconds that a call of the keeping may take; those of players are waited for.
    """
    async with Gates(gates, network.client(), limit) as kept_ones, Gates(gates, network.client(), LONG) as asked:
        keeping = Gatekeeping(world.db, world.clock, kept_ones, bus or world.bus, pace)
        async with keeping.kept():
            yield Kept(world, asked, Vpn(world.db, world.clock, asked, keeping.wake, News(world.bus).vpn), keeping)


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(LONG):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.005)
