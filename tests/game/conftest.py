"""The world that the use cases are tested in."""

from collections.abc import AsyncIterator

import pytest

from chatsubo.game import Actor, Game
from chatsubo.live.bus import Bus
from chatsubo.store.database import Database
from tests.game.world import Clock, World
from tests.unit.gates.gate import FakeGate, Network


@pytest.fixture
async def world(db: Database) -> AsyncIterator[World]:
    """A game without boxes yet, whose one provider shows two templates."""
    bus, clock = Bus(), Clock()
    woken: list[None] = []
    game = Game.build(db, bus, clock=clock, wake=lambda: woken.append(None), prefixes={"lab": "WZ"})
    made = World(db, game, bus, clock, woken)
    await made.offer()
    yield made
    await made.game.aclose()


@pytest.fixture
def fake() -> FakeGate:
    """A gate."""
    return FakeGate(versioned=True)


@pytest.fixture
def network(fake: FakeGate) -> Network:
    """Where it is the only one that can be reached."""
    return Network({"one.example": fake})


@pytest.fixture
async def case(world: World) -> Actor:
    """A player."""
    return await world.player("case")


@pytest.fixture
async def admin(world: World) -> Actor:
    """The organiser."""
    return await world.admin()
