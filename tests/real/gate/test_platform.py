"""The platform, its gates and a Docker Engine behind them: gates that go and come back while people play."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.needs import need
from tests.real.dockerd import Dockerd
from tests.real.gate.played import (
    BOX,
    GATEWAY,
    MORE_PLAYERS,
    OTHER_GATEWAY,
    PLAYERS,
    PORT,
    are_barred,
    are_dead,
    dial,
    join,
    lives,
    platform,
    tunnel_address,
)
from tests.real.gate.service import Service
from tests.real.gate.world import PA, PB, World

pytestmark = [need.wireguard, need.openvpn, need.nftables]

ROOM_FOR_ONE = "10.66.0.0/30"


@pytest.mark.parametrize("kind", ["wireguard", "openvpn"])
def test_a_gate_that_was_killed_is_told_what_it_missed(
    kind: str, behind: Dockerd, in_the_gate: World, tmp_path: Path
) -> None:
    world = in_the_gate
    service = Service(world, kind, routes=[behind.subnets[0]], subnet=PLAYERS)
    with closing(service.http), platform(behind, tmp_path, service) as server:
        service.start()
        slug, case = server.release(server.organiser(), BOX), server.visitor().register("case")
        join(world, PA, case)
        service.kill()
        case.until("/realms", lambda realms: realms[0]["away"])

        address = case.start(slug)["address"]
        service.start()

        with dial(world, PA, address) as line:
            assert lives(line)


@pytest.fixture
def two_gates(behind: Dockerd, in_the_gate: World) -> Iterator[tuple[Service, Service]]:
    """A WireGuard gate with room for just one player, and an OpenVPN gate."""
    routes = [behind.subnets[0]]
    first = Service(in_the_gate, "wireguard", "first", routes=routes, subnet=ROOM_FOR_ONE)
    more = {"subnet": MORE_PLAYERS, "port": 1194, "listen": {"port": 7475}}
    second = Service(in_the_gate, "openvpn", "second", routes=routes, **more)
    with closing(first.http), closing(second.http):
        for gate in (first, second):
            gate.start()
        yield first, second


def test_two_gates_of_one_realm_share_its_players_and_may_be_started_again_while_those_play(
    two_gates: tuple[Service, Service], behind: Dockerd, in_the_gate: World, tmp_path: Path
) -> None:
    world = in_the_gate
    with platform(behind, tmp_path, *two_gates) as server:
        finn = server.organiser()
        slug = server.release(finn, BOX)
        case, molly = server.visitor().register("case"), server.visitor().register("molly")
        join(world, PA, case, GATEWAY)
        # The first gate is full now: who comes next is told of the other one, and gets in there.
        molly.until("/realms", lambda realms: realms[0]["kind"] == "openvpn" and not realms[0]["full"])
        join(world, PB, molly, OTHER_GATEWAY)
        a, b = tunnel_address(world, PA, GATEWAY), tunnel_address(world, PB, OTHER_GATEWAY)
        boxes = {PA: case.start(slug)["address"], PB: molly.start(slug)["address"]}
        lines = [dial(world, host, address) for host, address in boxes.items()]
        listeners = {a: world.listen(PA, a), b: world.listen(PB, b)}
        theirs = [(PA, boxes[PB], PORT), (PB, boxes[PA], PORT)]
        theirs += [(PA, b, listeners[b].getsockname()[1]), (PB, a, listeners[a].getsockname()[1])]
        assert all(lives(line) for line in lines)
        assert are_barred(world, theirs)

        for gate in two_gates:
            gate.stop()
            assert all(lives(line) for line in lines)
            gate.start()
            assert all(lives(line) for line in lines)

        finn.until("/admin/gates", lambda gates: all(one["online"] == 1 and one["up_to_date"] for one in gates))
        assert are_barred(world, theirs)
        for host, address in boxes.items():
            dial(world, host, address).close()
        for player in (case, molly):
            player.http.delete(f"/api/v1/boxes/{slug}/session")
            player.wait(slug, "gone")
        assert are_dead(*lines)
        for one in (*lines, *listeners.values()):
            one.close()
