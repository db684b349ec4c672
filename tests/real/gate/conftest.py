"""What all tests of the gate share."""

from collections.abc import Iterator

import pytest

from tests.needs import need
from tests.real.dockerd import Dockerd
from tests.real.gate.played import ALL_PLAYERS
from tests.real.gate.wall import WorldWall, new_wall
from tests.real.gate.world import GATE, World, new_world
from tests.real.namespace import run

_ROOT = need.root
_NFTABLES = need.nftables
_ENGINE, _BEFORE_IT = "192.0.2.2", "192.0.2.1"


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


@pytest.fixture
def behind(dockerd: Dockerd, in_the_gate: World) -> Iterator[Dockerd]:
    """An engine that the gate reaches, and whose machines reach players through the gate."""
    leg = in_the_gate.device("eng")
    run("ip", "link", "add", leg, "type", "veth", "peer", "name", "gate", "netns", dockerd.namespace.name)
    run("ip", "address", "add", f"{_BEFORE_IT}/30", "dev", leg)
    run("ip", "link", "set", leg, "up")
    for line in (f"address add {_ENGINE}/30 dev gate", "link set gate up", f"route add {ALL_PLAYERS} via {_BEFORE_IT}"):
        dockerd.namespace.run("ip", *line.split())
    for network in (f"{dockerd.host}/32", dockerd.subnets[0]):
        run("ip", "route", "add", network, "via", _ENGINE)
    try:
        yield dockerd
    finally:
        run("ip", "link", "delete", leg)
