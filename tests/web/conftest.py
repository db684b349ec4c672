"""The site that the web room is tested on: the real game, on SQLite."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from chatsubo.config.models import Gate
from chatsubo.game import Game
from chatsubo.game.vpn import Vpn
from chatsubo.gates import Gates
from chatsubo.live.bus import Bus
from chatsubo.store.database import Database
from chatsubo.web.application import create_application
from tests.game.world import Clock, World
from tests.unit.gates.gate import Network
from tests.web.site import AT_ROOT, Lab, Site, settings

MakeSite = Callable[..., Site]


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    """A game whose one provider shows two templates."""
    db = Database.open(sqlite_url)
    bus, clock = Bus(), Clock()
    game = Game.build(db, bus, clock=clock, gated_realms=["wz01"])
    made = World(db, game, bus, clock)
    await made.offer()
    yield made
    await game.aclose()
    await db.aclose()


@pytest.fixture
def network() -> Network:
    """The gates that can be reached."""
    return Network()


@pytest.fixture
async def make_site(world: World, network: Network) -> AsyncIterator[MakeSite]:
    """Make the site at an address, with gates."""
    opened: list[Gates] = []

    def make(public_url: str = AT_ROOT, gates: tuple[Gate, ...] = (), **changes: Any) -> Site:
        lab, web = Lab(), settings(public_url, **changes)
        opened.append(Gates(gates, network.client()))
        vpn = Vpn(world.db, world.clock, opened[-1])
        application = create_application(world.game, world.bus, web, lab.health, vpn)
        return Site(application, web, world, lab)

    yield make
    for gates in opened:
        await gates.aclose()


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """The site at the root of an https address."""
    return make_site()
