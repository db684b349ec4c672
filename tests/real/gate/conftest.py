"""What all tests of the gate share."""

from collections.abc import Iterator

import pytest

from tests.needs import need
from tests.real.gate.wall import WorldWall, new_wall
from tests.real.gate.world import GATE, World, new_world

_ROOT = need.root
_NFTABLES = need.nftables


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips, with its reason, each test that asks for namespaces where none can be made."""
    for item in items:
        wanted = set(getattr(item, "fixturenames", ()))
        if {"world", "in_the_gate"} & wanted:
            item.add_marker(_ROOT)
        if "wall" in wanted:
            item.add_marker(_NFTABLES)


@pytest.fixture
def world() -> Iterator[World]:
    """Namespaces ``inet``, ``gate``, ``dk``, ``pA``, ``pB``, joined; nothing of them stays."""
    with new_world() as made:
        yield made


@pytest.fixture
def in_the_gate(world: World) -> Iterator[World]:
    """Likewise, and the test itself, with the threads and processes that it makes, runs in the gate."""
    with world.inside(GATE):
        yield world


@pytest.fixture
def wall(in_the_gate: World) -> Iterator[WorldWall]:
    """Players and machines at the two sides of a firewall that has no rules yet; the test is in the gate."""
    with new_wall(in_the_gate) as made:
        yield made
