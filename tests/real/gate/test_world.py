"""The world of the gate's tests is as it says."""

import socket

from tests.real.gate.world import DK, GATE, INNER, INNER6, PA, PB, PUBLIC, PUBLIC6, World


def test_players_reach_the_gate_and_each_other_over_the_internet(world: World) -> None:
    assert all(world.reaches(PA, address) for address in (PUBLIC[GATE], PUBLIC6[GATE], PUBLIC[PB], PUBLIC6[PB]))
    assert world.reaches(GATE, INNER[DK])
    assert world.reaches(GATE, INNER6[DK])


def test_what_a_test_does_in_the_gate_is_done_there(in_the_gate: World) -> None:
    assert {"wan", "lan"} <= {name for _, name in socket.if_nameindex()}


def test_a_player_has_no_way_to_the_machine_behind_the_gate(world: World) -> None:
    assert not world.reaches(PA, INNER[DK], within=1)


def test_nothing_of_a_world_stays(world: World) -> None:
    process = world.spawn(PA, "sleep", "1000")
    world.remove()
    assert process.poll() is not None
    assert world.pids(PA) == set()
    assert not world.folder.exists()
