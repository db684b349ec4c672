"""The site that the web room is tested on: the real game, on SQLite."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from chatsubo.config.models import Gate
from chatsubo.game import Game
from chatsubo.game.vpn import Vpn
from chatsubo.gates import Gates
from chatsubo.live.bus import Bus
from chatsubo.store.database import Database
from chatsubo.web.application import Application, create_routes
from chatsubo.web.settings import WebSettings
from tests.game.world import Clock, World
from tests.unit.gates.gate import Network
from tests.web.site import AT_ROOT, Lab, Site, settings

MakeSite = Callable[..., Site]
IdleRoutes = dict[WebSettings, list[Application]]


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


@pytest.fixture(scope="session")
def idle_routes() -> IdleRoutes:
    """Applications that no test uses now: to register the routes takes longer than most tests."""
    return defaultdict(list)


@pytest.fixture
async def make_site(world: World, network: Network, idle_routes: IdleRoutes) -> AsyncIterator[MakeSite]:
    """Make the site at an address, with gates."""
    opened: list[Gates] = []
    taken: list[tuple[WebSettings, Application]] = []

    def make(public_url: str = AT_ROOT, gates: tuple[Gate, ...] = (), **changes: Any) -> Site:
        lab, web = Lab(), settings(public_url, **changes)
        opened.append(Gates(gates, network.client()))
        vpn = Vpn(world.db, world.clock, opened[-1])
        application = idle_routes[web].pop() if idle_routes[web] else create_routes(web)
        taken.append((web, application))
        application.answer_from(world.game, world.bus, lab.health, vpn, web)
        return Site(application, web, world, lab)

    yield make
    for gates in opened:
        await gates.aclose()
    for web, application in taken:
        idle_routes[web].append(application)


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """The site at the root of an https address."""
    return make_site()
