"""The world that the lab is tested in."""

from collections.abc import AsyncIterator

import pytest

from chatsubo.store.database import Database
from tests.lab.world import World, furnish


@pytest.fixture
async def embedded(sqlite_url: str) -> AsyncIterator[Database]:
    """A furnished SQLite database."""
    db = Database.open(sqlite_url)
    await furnish(db)
    yield db
    await db.aclose()


@pytest.fixture
async def world(embedded: Database) -> AsyncIterator[World]:
    """A world whose lab is started."""
    world = World(embedded)
    await world.lab.start()
    yield world
    await world.lab.aclose()


@pytest.fixture
async def idle(embedded: Database) -> AsyncIterator[World]:
    """A world whose lab is still to be started, by the test."""
    world = World(embedded)
    yield world
    await world.lab.aclose()
