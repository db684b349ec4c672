"""The gate's rules in the kernel: they come whole, stay, heal, and leave what belongs to others alone."""

import asyncio
import errno
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatsubo.gate.firewall import Firewall
from chatsubo.gate.model import Pair
from tests.real.gate.players import new_players, new_socket, shout
from tests.real.gate.wall import LIMIT, WorldWall, firewall_of, is_quiet
from tests.real.gate.world import DK, GATE, INNER, INNER6

# IP_RECVERR and IPV6_RECVERR: all errors that routers tell, not just the final ones.
RECEIVE_ERRORS, RECEIVE_ERRORS6 = (socket.SOL_IP, 11), (socket.IPPROTO_IPV6, 25)

OTHERS = """
table inet theirs {
  set friends { type ipv4_addr; elements = { 192.0.2.1 } }
  chain forward { type filter hook forward priority 0; policy accept; ip saddr @friends accept; }
}
table ip nat {
  chain POSTROUTING { type nat hook postrouting priority 100; policy accept; ip saddr 192.0.2.0/24 masquerade; }
}
"""

INSTALLS_AND_WAITS = """
import asyncio, sys
from ipaddress import ip_address, ip_network
from chatsubo.gate.firewall import Firewall
from chatsubo.gate.model import Pair
async def main():
    wall = Firewall(sys.argv[1], ip_network(sys.argv[2]))
    await wall.install([Pair(player=ip_address(sys.argv[3]), machine=ip_address(sys.argv[4]), back=False)])
    print("ready", flush=True)
    await asyncio.sleep(3600)
asyncio.run(main())
"""


def ruleset(wall: WorldWall) -> str:
    return wall.gate.run("nft", "--stateless", "list", "ruleset").stdout


async def test_the_rules_are_gone_without_a_trace_and_what_others_have_is_as_it_was(wall: WorldWall):
    wall.gate.run("nft", "-f", "-", input=OTHERS)
    before = ruleset(wall)
    pair = wall.pair(wall.a, wall.machines[4][0])

    await wall.firewall.install([pair])
    await wall.firewall.change([wall.pair(wall.b, wall.machines[4][1])], [pair])
    await wall.firewall.tend()
    while_there = ruleset(wall)
    own = wall.gate.run("nft", "--stateless", "list", "table", "inet", f"chatsubo_gate_{wall.players.interface}").stdout
    await wall.firewall.remove()

    assert while_there.replace(own, "") == before
    assert ruleset(wall) == before
    await wall.firewall.remove()


async def test_rules_can_be_there_before_the_interface_is(wall: WorldWall):
    early = Firewall("vpn-to-come", wall.players.four)
    await early.install([wall.pair(wall.a, wall.machines[4][0])])
    wall.gate.run("ip", "link", "set", wall.players.interface, "down")
    wall.gate.run("ip", "link", "set", wall.players.interface, "name", "vpn-to-come", "up")
    wall.firewall = early

    await wall.join(wall.a.host, wall.dk, wall.machines[4][0])
    await wall.refuses(wall.a.host, wall.dk, wall.machines[4][1])


async def test_without_a_subnet_for_it_players_have_no_ipv6(wall: WorldWall):
    wall.firewall = Firewall(wall.players.interface, wall.players.four)
    await wall.firewall.install([wall.pair(wall.a, machine) for machine in (wall.machines[4][0], wall.machines[6][0])])

    await wall.join(wall.a.host, wall.dk, wall.machines[4][0])
    await wall.refuses(wall.a.host, wall.dk, wall.machines[6][0], why="spoofed")


async def test_rules_survive_the_death_of_the_gate_and_the_next_one_takes_them_over(wall: WorldWall):
    mine, yours = wall.machines[4]
    arguments = [wall.players.interface, str(wall.players.four), wall.a.four, mine]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", INSTALLS_AND_WAITS, *arguments, stdout=pipe)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    finally:
        process.kill()
        await process.wait()

    player, machine, _ = await wall.join(wall.a.host, wall.dk, mine)
    await wall.refuses(wall.a.host, wall.dk, yours)

    next_one = firewall_of(wall.players)
    pairs = [wall.pair(wall.a, mine)]
    assert await next_one.pairs() == set(pairs)
    assert not await next_one.matches(pairs)
    await next_one.install(pairs)
    assert await next_one.matches(pairs)
    await wall.passes(player, machine)
    await wall.passes(machine, player)


async def test_whatever_others_did_to_the_rules_is_noticed_and_healed(wall: WorldWall):
    pairs = [wall.pair(wall.a, wall.machines[4][0]), wall.pair(wall.b, wall.machines[6][1], back=True)]
    table = f"inet chatsubo_gate_{wall.players.interface}"
    await wall.firewall.install(pairs)
    assert await wall.firewall.matches(pairs)
    assert not await wall.firewall.matches(pairs[:1])

    for damage in (
        "flush ruleset",
        f"delete element {table} pairs4 {{ {wall.a.four} . {wall.machines[4][0]} }}",
        f"delete element {table} back6 {{ {wall.b.six} . {wall.machines[6][1]} }}",
        f"add element {table} pairs4 {{ {wall.b.four} . {wall.machines[4][0]} }}",
        f"insert rule {table} forward accept",
        f"flush chain {table} to_host",
        f"add chain {table} mine {{ type filter hook forward priority -100; }}",
        f"delete table {table}; add table {table}; add chain {table} input {{ type filter hook forward priority 7; }}",
    ):
        wall.gate.run("nft", damage)
        assert not await wall.firewall.matches(pairs), damage
        await wall.firewall.install(pairs)
        assert await wall.firewall.matches(pairs), damage

    # What passed, and was counted, changes nothing.
    await wall.drops("unpaired", shout, wall.a.host, 4, wall.machines[4][1], 9, b"hello")
    pings = ("ping", "-c", "100", "-l", "100", "-W", "0.2", str(wall.players.four[1]))
    await wall.drops("host", wall.a.host.run, *pings, check=False)
    assert await wall.firewall.matches(pairs)


async def test_rules_that_nobody_changed_are_not_listed_again(wall: WorldWall, monkeypatch: pytest.MonkeyPatch):
    pairs = [wall.pair(wall.a, wall.machines[4][0])]
    await wall.firewall.install(pairs)
    assert await wall.firewall.matches(pairs)

    with monkeypatch.context() as patch:
        patch.setattr(wall.firewall, "_listing", None)
        assert await wall.firewall.matches(pairs)

    assert not await wall.firewall.matches([])
    await wall.firewall.change((), pairs)
    assert not await wall.firewall.matches(pairs)
    assert await wall.firewall.matches([])


@pytest.mark.parametrize("disturbance", ["flush ruleset", "insert rule inet {table} forward accept", "docker"])
async def test_whoever_changes_the_rules_is_noticed_at_once(wall: WorldWall, disturbance: str):
    table = f"chatsubo_gate_{wall.players.interface}"
    pairs = [wall.pair(wall.a, wall.machines[4][0])]
    await wall.firewall.install(pairs)
    with wall.firewall.watch() as watch:
        waiting = asyncio.ensure_future(watch.disturbed())
        # Pairs that come and go, and what belongs to others, wake nobody.
        for turn in range(50):
            await wall.firewall.change([wall.pair(wall.b, f"172.30.1.{turn}")], [])
        wall.gate.run("nft", "-f", "-", input=OTHERS)
        assert not waiting.done()

        if disturbance == "docker":
            wall.gate.run("iptables", "-N", "DOCKER-USER")
        else:
            wall.gate.run("nft", disturbance.format(table=table))
        async with asyncio.timeout(LIMIT):
            await waiting


async def test_no_packet_slips_through_and_none_is_lost_while_the_rules_are_made_again_and_again(wall: WorldWall):
    mine, yours = wall.machines[4]
    pairs = {wall.pair(wall.a, mine), wall.pair(wall.b, yours)}
    await wall.firewall.install(pairs)
    open_ear, closed_ear = wall.hear(wall.dk, mine), wall.hear(wall.dk, yours)
    over = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        try:
            _, to_closed = (threads.submit(flood, wall, ear.getsockname(), over) for ear in (open_ear, closed_ear))
            for turn in range(100):
                await wall.firewall.install(pairs | {wall.pair(wall.b, f"172.30.1.{turn}")})
        finally:
            over.set()

    assert is_quiet(closed_ear)
    assert not is_quiet(open_ear)
    # Every packet to the one was dropped, and none to the other.
    assert (await wall.firewall.counters()).unpaired == to_closed.result() > 0


def flood(wall: WorldWall, goal: tuple[str, int], over: threading.Event) -> int:
    """Send datagrams from A as fast as they go, and return how many."""
    sent = 0
    with new_socket(wall.a.host, 4, socket.SOCK_DGRAM) as mouth:
        mouth.setblocking(True)
        while not over.is_set():
            mouth.sendto(b"x", goal)
            sent += 1
    return sent


async def test_two_gates_live_side_by_side_on_one_host(wall: WorldWall):
    mine, yours = wall.machines[4]
    with new_players(wall.gate, wall.world.token, 67) as others:
        second = firewall_of(others)
        await wall.firewall.install([wall.pair(wall.a, mine)])
        await second.install([wall.pair(others.a, yours)])
        assert {one.player for one in await second.pairs()} == {ip_address(others.a.four)}

        await wall.join(wall.a.host, wall.dk, mine)
        await wall.join(others.a.host, wall.dk, yours)
        await wall.refuses(wall.a.host, wall.dk, yours)
        await wall.drops("unpaired", shout, others.a.host, 4, mine, 9, b"x", by=second)
        # Neither do the players of one reach those of the other.
        await wall.refuses(wall.a.host, others.a.host, others.a.four)
        await wall.drops("unpaired", shout, others.a.host, 4, wall.a.four, 9, b"x", by=second)

        await second.remove()
        await wall.join(wall.a.host, wall.dk, mine)
        await wall.refuses(wall.a.host, wall.dk, yours)


async def test_the_translation_of_addresses_that_a_host_does_is_not_for_players(wall: WorldWall):
    mine = wall.machines[4][0]
    for family in ("ip", "ip6"):
        chain = f"add chain {family} masks post {{ type nat hook postrouting priority 100; }}"
        wall.gate.run("nft", f"add table {family} masks; {chain}; add rule {family} masks post masquerade")
    await wall.firewall.install([wall.pair(wall.a, machine, back=True) for machine in (mine, wall.machines[6][0])])

    for version in (4, 6):
        machine = wall.machines[version][0]
        assert (await wall.join(wall.a.host, wall.dk, machine)).peer == wall.a.at(version)
        server = wall.listen(wall.a.host, wall.a.at(version))
        shell = wall.keep(new_socket(wall.dk, version))
        shell.bind((machine, 0))
        async with asyncio.timeout(LIMIT):
            await asyncio.get_running_loop().sock_connect(shell, server.getsockname()[:2])
            connection, peer = await asyncio.get_running_loop().sock_accept(server)
        wall.keep(connection)
        assert peer[:2] == shell.getsockname()[:2]

    # The gate's host itself is still translated as its owner wants.
    wall.gate.run("ip", "address", "add", "192.0.2.9/32", "dev", "lo")
    ear = wall.hear(wall.dk, mine)
    shout(wall.gate, 4, mine, ear.getsockname()[1], b"hello", source="192.0.2.9")
    async with asyncio.timeout(LIMIT):
        _, peer = await asyncio.get_running_loop().sock_recvfrom(ear, 100)
    assert peer[0] == "172.30.0.1"


async def test_a_port_that_the_host_publishes_is_no_way_around_the_pairs(wall: WorldWall):
    mine = wall.machines[4][0]
    await wall.firewall.install([wall.pair(wall.a, mine), wall.pair(wall.a, INNER[GATE])])
    server = wall.listen(wall.dk, mine)
    port = server.getsockname()[1]
    chain = "add chain ip publishes pre { type nat hook prerouting priority dstnat; }"
    rule = f"add rule ip publishes pre tcp dport 8080 dnat to {mine}:{port}"
    wall.gate.run("nft", f"add table ip publishes; {chain}; {rule}")

    def knock() -> None:
        wall.keep(new_socket(wall.a.host, 4)).connect_ex((INNER[GATE], 8080))

    await wall.drops("forbidden", knock)
    assert is_quiet(server)


def put_bridges_between(wall: WorldWall) -> None:
    """Lead from the gate to its machines over two bridges, as a hypervisor does that filters what each machine gets."""
    setting = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    if setting.exists():
        setting.write_text("1")
    for line in (
        "address flush dev lan",
        "link add between type veth peer name within",
        *("link add outer type bridge", "link add inner type bridge"),
        *("link set outer up", "link set inner up"),
        *("link set between master outer up", "link set within master inner up", "link set lan master inner"),
        f"address add {INNER[GATE]}/24 dev outer",
    ):
        wall.gate.run("ip", *line.split())


async def test_bridges_behind_bridges_that_ask_the_firewall_again_are_no_trouble(wall: WorldWall):
    put_bridges_between(wall)
    mine, yours = wall.machines[4]
    await wall.firewall.install([wall.pair(wall.a, mine, back=True)])

    assert (await wall.join(wall.a.host, wall.dk, mine)).peer == wall.a.four
    await wall.refuses(wall.a.host, wall.dk, yours)
    server = wall.listen(wall.a.host, wall.a.four)
    wall.dial(wall.dk, 4, wall.a.four, server.getsockname()[1], source=mine)
    async with asyncio.timeout(LIMIT):
        connection, peer = await asyncio.get_running_loop().sock_accept(server)
    wall.keep(connection)
    assert peer[0] == mine


@pytest.mark.parametrize(("version", "far", "router"), [(4, "203.0.113.9", INNER[DK]), (6, "fd99::9", INNER6[DK])])
async def test_what_routers_tell_about_a_players_packets_arrives(wall: WorldWall, version: int, far: str, router: str):
    # The router is in no pair, nor reached by players.
    wall.firewall = firewall_of(wall.players, router)
    wall.gate.run("ip", "route", "add", far, "via", router)
    wall.world.forwarding(DK, on=True)
    wall.world.run(DK, "ip", f"-{version}", "route", "add", "unreachable", far)
    loop = asyncio.get_running_loop()

    await wall.firewall.install([wall.pair(wall.a, far)])
    caller = wall.keep(new_socket(wall.a.host, version))
    with pytest.raises(OSError, match="Connect call failed") as told:
        async with asyncio.timeout(LIMIT):
            await loop.sock_connect(caller, (far, 80))
    assert told.value.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH}

    # The same of an answer to what the machine began.
    await wall.firewall.install([wall.pair(wall.a, far, back=True)])
    ear = wall.hear(wall.a.host, wall.a.at(version))
    shout(wall.dk, version, wall.a.at(version), ear.getsockname()[1], b"hello", source=far)
    async with asyncio.timeout(LIMIT):
        _, peer = await loop.sock_recvfrom(ear, 100)
    ear.connect(peer)
    ear.setsockopt(*(RECEIVE_ERRORS if version == 4 else RECEIVE_ERRORS6), 1)
    ear.send(b"who is it?")
    async with asyncio.timeout(LIMIT):
        with pytest.raises(OSError, match=r"unreachable|No route to host"):
            await loop.sock_recv(ear, 100)


PAIRS = st.builds(
    Pair,
    player=st.sampled_from([ip_address("10.66.0.2"), ip_address("10.66.0.3")]),
    machine=st.sampled_from([ip_address("172.30.0.10"), ip_address("172.30.0.11")]),
    back=st.booleans(),
) | st.builds(
    Pair,
    player=st.sampled_from([ip_address("fd66::2"), ip_address("fd66::3")]),
    machine=st.sampled_from([ip_address("fd00:30::10"), ip_address("fd00:30::11")]),
    back=st.booleans(),
)
# As the gate asks it: of one player and machine there is one pair.
BATCH = st.lists(PAIRS, unique_by=lambda one: (one.player, one.machine))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=BATCH, changes=st.lists(st.tuples(BATCH, BATCH), max_size=4))
def test_the_kernel_has_the_pairs_that_the_changes_lead_to(wall: WorldWall, first, changes):
    async def apply() -> None:
        await wall.firewall.install(first)
        expected = {(one.player, one.machine): one for one in first}
        for add, remove in changes:
            await wall.firewall.change(add, remove)
            for one in remove:
                expected.pop((one.player, one.machine), None)
            expected |= {(one.player, one.machine): one for one in add}
            assert await wall.firewall.pairs() == set(expected.values())
        assert await wall.firewall.matches(list(expected.values()))

    asyncio.run(apply())
