"""Who reaches what through the gate's firewall."""

import asyncio
import socket

import pytest

from tests.real.gate.players import new_socket, shout
from tests.real.gate.wall import LIMIT, LINK_LOCAL, PROTECTED, WorldWall, host_of, is_quiet
from tests.real.gate.world import GATE, INNER, INNER6, PB, PUBLIC, PUBLIC6

BOTH = pytest.mark.parametrize("version", [4, 6])


@BOTH
async def test_players_reach_their_own_machine_and_no_other(wall: WorldWall, version: int):
    mine, yours = wall.machines[version]
    await wall.firewall.install([wall.pair(wall.a, mine), wall.pair(wall.b, yours)])

    assert (await wall.join(wall.a.host, wall.dk, mine)).peer == wall.a.at(version)
    assert (await wall.join(wall.b.host, wall.dk, yours)).peer == wall.b.at(version)
    await wall.refuses(wall.a.host, wall.dk, yours)
    await wall.refuses(wall.b.host, wall.dk, mine)


@BOTH
async def test_a_pair_that_is_taken_away_cuts_live_connections_until_it_is_given_back(wall: WorldWall, version: int):
    pair = wall.pair(wall.a, wall.machines[version][0])
    await wall.firewall.install([])
    await wall.firewall.change([pair], [])
    player, machine, _ = await wall.join(wall.a.host, wall.dk, wall.machines[version][0])

    await wall.firewall.change([], [pair])

    await wall.drops("unpaired", player.send, b"still there?")
    await wall.drops("unpaired", machine.send, b"me too")
    assert is_quiet(machine)
    assert is_quiet(player)

    await wall.firewall.change([pair], [])

    loop = asyncio.get_running_loop()
    async with asyncio.timeout(LIMIT):
        assert await loop.sock_recv(machine, 100) == b"still there?"
        assert await loop.sock_recv(player, 100) == b"me too"


@BOTH
async def test_a_machine_opens_connections_to_its_player_under_its_own_address(wall: WorldWall, version: int):
    mine, yours = wall.machines[version]
    await wall.firewall.install([wall.pair(wall.a, mine, back=True), wall.pair(wall.b, yours)])

    shell = await connect_back(wall, mine, wall.a.at(version))

    assert shell == mine
    await wall.refuses(wall.dk, wall.a.host, wall.a.at(version), source=yours)
    await wall.refuses(wall.dk, wall.b.host, wall.b.at(version), source=yours)
    await wall.refuses(wall.dk, wall.b.host, wall.b.at(version), source=mine)


async def connect_back(wall: WorldWall, machine: str, player: str) -> str:
    """Open a connection from a machine to player A, and return where it seems to come from."""
    version = 6 if ":" in player else 4
    server = wall.listen(wall.a.host, player)
    wall.dial(wall.dk, version, player, server.getsockname()[1], source=machine)
    async with asyncio.timeout(LIMIT):
        connection, peer = await asyncio.get_running_loop().sock_accept(server)
    wall.keep(connection)
    return str(peer[0])


@BOTH
async def test_reverse_connections_end_with_the_right_to_them_while_the_players_own_go_on(
    wall: WorldWall, version: int
):
    machine = wall.machines[version][0]
    two_way, one_way = (wall.pair(wall.a, machine, back=back) for back in (True, False))
    await wall.firewall.install([two_way])
    own = await wall.join(wall.a.host, wall.dk, machine)
    server = wall.listen(wall.a.host, wall.a.at(version))
    shell = wall.dial(wall.dk, version, wall.a.at(version), server.getsockname()[1], source=machine)
    async with asyncio.timeout(LIMIT):
        listener, _ = await asyncio.get_running_loop().sock_accept(server)
    wall.keep(listener)
    await wall.passes(shell, listener)

    await wall.firewall.change([one_way], [two_way])

    await wall.drops("unpaired", shell.send, b"$ ")
    assert is_quiet(listener)
    await wall.passes(own.caller, own.called)
    await wall.passes(own.called, own.caller)
    assert await wall.firewall.pairs() == {one_way}


@BOTH
async def test_players_never_reach_each_other_even_if_a_pair_says_so(wall: WorldWall, version: int):
    there, back = (wall.pair(wall.a, wall.b.at(version), back=True), wall.pair(wall.b, wall.a.at(version), back=True))
    await wall.firewall.install([there, back])

    await wall.refuses(wall.a.host, wall.b.host, wall.b.at(version), why="forbidden")
    await wall.refuses(wall.b.host, wall.a.host, wall.a.at(version), why="forbidden")


@BOTH
async def test_nothing_that_is_routed_back_into_the_tunnel_is_a_machine(wall: WorldWall, version: int):
    behind = "203.0.113.5" if version == 4 else "fd99::5"
    wall.gate.run("ip", "route", "add", behind, "dev", wall.players.interface)
    await wall.firewall.install([wall.pair(wall.a, behind, back=True)])

    await wall.drops("forbidden", shout, wall.a.host, version, behind, 9, b"hello")


@pytest.mark.parametrize("goal", [LINK_LOCAL, *PROTECTED])
async def test_what_is_protected_is_never_reached_and_reaches_nobody_even_if_a_pair_says_so(wall: WorldWall, goal: str):
    version = 6 if ":" in goal else 4
    await wall.firewall.install([wall.pair(wall.a, goal, back=True)])

    await wall.refuses(wall.a.host, wall.dk, goal, why="forbidden")
    await wall.refuses(wall.dk, wall.a.host, wall.a.at(version), why="forbidden", source=goal)


@pytest.mark.parametrize("group", ["224.0.0.1", "255.255.255.255", "10.66.255.255", "ff02::1%tun", "fe80::1%tun"])
async def test_the_gate_hears_nothing_that_is_for_all_or_for_the_link(wall: WorldWall, group: str):
    version = 6 if ":" in group else 4
    wall.gate.run("ip", "address", "add", "fe80::1/64", "dev", wall.players.interface, "nodad")
    wall.a.host.run("ip", "neigh", "add", "fe80::1", "lladdr", "02:00:00:00:00:01", "dev", "tun")
    ear = wall.hear(wall.gate, "0.0.0.0" if version == 4 else "::")
    await wall.firewall.install([])

    def call() -> None:
        with new_socket(wall.a.host, version, socket.SOCK_DGRAM) as mouth, wall.a.host.inside():
            mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            mouth.sendto(b"anybody?", (group, ear.getsockname()[1]))

    await wall.drops("host", call)
    assert is_quiet(ear)


@BOTH
async def test_the_gates_own_addresses_and_ports_are_not_reached(wall: WorldWall, version: int):
    own = [str(wall.players.four[1]), INNER[GATE], PUBLIC[GATE]] if version == 4 else []
    own += [str(wall.players.six[1]), INNER6[GATE], PUBLIC6[GATE]] if version == 6 else []
    # Not even where a pair says so: the host is not what players are to attack.
    await wall.firewall.install([wall.pair(wall.a, address, back=True) for address in own])
    everywhere = wall.listen(wall.gate, "0.0.0.0" if version == 4 else "::")
    port = everywhere.getsockname()[1]

    for address in own:
        await wall.drops("host", wall.dial, wall.a.host, version, address, port)
        await wall.drops("host", shout, wall.a.host, version, address, 9, b"hello")
    assert is_quiet(everywhere)


@BOTH
async def test_the_gate_answers_pings_at_its_tunnel_address_alone_and_not_too_many(wall: WorldWall, version: int):
    own = wall.players.four if version == 4 else wall.players.six
    await wall.firewall.install([])

    assert answered(wall, str(own[1]), "-c", "3", "-i", "0.01", "-W", str(LIMIT)) == 3
    # All at once: how long the machine takes for it does not matter.
    await wall.drops("host", answered, wall, str(own[1]), "-c", "100", "-l", "100", "-W", "0.2")
    other = INNER[GATE] if version == 4 else INNER6[GATE]
    await wall.drops("host", answered, wall, other, "-c", "1", "-W", "0.2")


def answered(wall: WorldWall, address: str, *options: str) -> int:
    """Return how many of A's pings were answered."""
    told = wall.a.host.run("ping", "-n", "-q", *options, address, check=False).stdout
    return int(told.partition(" packets transmitted, ")[2].partition(" ")[0])


@BOTH
async def test_what_comes_out_of_the_tunnel_with_another_source_is_dropped(wall: WorldWall, version: int):
    machine = wall.machines[version][0]
    await wall.firewall.install([wall.pair(wall.a, machine)])
    ear = wall.hear(wall.dk, machine)
    port = ear.getsockname()[1]
    subnet = wall.players.four if version == 4 else wall.players.six
    sources = ["198.51.100.77", "172.30.0.77"] if version == 4 else ["2001:db8:1::77", "fd00:30::77"]

    for source in (*sources, str(subnet[1])):
        await wall.drops("spoofed", shout, wall.a.host, version, machine, port, b"spoofed", source=source)
    shout(wall.a.host, version, machine, port, b"honest")
    async with asyncio.timeout(LIMIT):
        assert await asyncio.get_running_loop().sock_recv(ear, 100) == b"honest"


@BOTH
async def test_a_tunnel_address_that_comes_from_elsewhere_is_dropped(wall: WorldWall, version: int):
    machine = wall.machines[version][0]
    await wall.firewall.install([wall.pair(wall.a, machine, back=True)])
    outside, inside = (PUBLIC[GATE], INNER[GATE]) if version == 4 else (PUBLIC6[GATE], INNER6[GATE])
    family, net = ("-4", "172.30.0.0/24") if version == 4 else ("-6", "fd00:30::/64")
    wall.world.run(PB, "ip", family, "route", "add", net, "via", outside)
    stranger = host_of(wall.world, PB)
    ears = [wall.hear(wall.dk, machine), wall.hear(wall.gate, inside)]

    for ear in ears:
        address, port = ear.getsockname()[:2]
        await wall.drops("spoofed", shout, stranger, version, address, port, b"it is A", source=wall.a.at(version))
    # A machine that claims to be a player reaches neither the gate nor another player.
    port = ears[1].getsockname()[1]
    await wall.drops("spoofed", shout, wall.dk, version, inside, port, b"A", source=wall.b.at(version))
    await wall.drops("spoofed", shout, wall.dk, version, wall.a.at(version), 9, b"B", source=wall.b.at(version))
    assert all(is_quiet(ear) for ear in ears)
