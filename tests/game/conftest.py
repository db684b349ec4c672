"""The world that the use cases are tested in."""

from collections.abc import AsyncIterator

import pytest

from chatsubo.game import Game
from chatsubo.live.bus import Bus
from chatsubo.store.database import Database
from tests.game.world import Clock, World


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
