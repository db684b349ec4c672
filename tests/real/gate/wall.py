"""A gate's firewall between players and machines, and the questions that tests ask of it."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from chatsubo.gate.firewall import Firewall
from chatsubo.gate.model import Pair
from tests.real.gate.players import Player, Players, new_players, new_socket, shout
from tests.real.gate.world import DK, GATE, World
from tests.real.namespace import Host

LIMIT = 60.0
"""Seconds that anything that has to happen may take: far more than it does, even where the machine is busy."""

PROTECTED = ("172.30.0.20", "fd00:30::20")
LINK_LOCAL = "169.254.169.254"


class Joined(NamedTuple):
    """A TCP connection: both ends, and whom the end that was called sees at the other."""

    caller: socket.socket
    called: socket.socket
    peer: str


class Wall:
    """Players, the firewall of the gate that they come to, and sockets on either side of it.

    Attributes:
        players: The players; their interface is in the gate.
        firewall: The gate's firewall, without rules yet.
    """

    def __init__(self, players: Players, open_sockets: contextlib.ExitStack) -> None:
        self.players = players
        self.gate, self.a, self.b = players.gate, players.a, players.b
        self.firewall = firewall_of(players)
        self._open = open_sockets

    def pair(self, player: Player, machine: str, *, back: bool = False) -> Pair:
        """Return a pair of a player and a machine."""
        address = ip_address(machine)
        return Pair(player=ip_address(player.at(address.version)), machine=address, back=back)

    def listen(self, host: Host, address: str, port: int = 0) -> socket.socket:
        """Return a TCP socket that listens in a host."""
        made = self.keep(new_socket(host, ip_address(address).version))
        made.bind((address, port))
        made.listen()
        return made

    def hear(self, host: Host, address: str) -> socket.socket:
        """Return a UDP socket that is bound in a host."""
        made = self.keep(new_socket(host, ip_address(address).version, socket.SOCK_DGRAM))
        made.bind((address, 0))
        return made

    async def join(self, caller: Host, called: Host, address: str) -> Joined:
        """Open a TCP connection, and send something over it in both directions."""
        server = self.listen(called, address)
        client = self.keep(new_socket(caller, ip_address(address).version))
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LIMIT):
            await loop.sock_connect(client, server.getsockname()[:2])
            connection, peer = await loop.sock_accept(server)
        joined = Joined(client, self.keep(connection), peer[0])
        await self.passes(joined.caller, joined.called)
        await self.passes(joined.called, joined.caller)
        return joined

    async def passes(self, one: socket.socket, other: socket.socket) -> None:
        """Send something from one end of a connection, and see it come out at the other."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LIMIT):
            await loop.sock_sendall(one, b"hello")
            assert await loop.sock_recv(other, 100) == b"hello"

    async def refuses(
        self, caller: Host, called: Host, address: str, *, why: str = "unpaired", source: str = ""
    ) -> None:
        """Send a datagram, and try to open a TCP connection; see each dropped, and nothing arrive."""
        version = ip_address(address).version
        ear, server = self.hear(called, address), self.listen(called, address)
        # Nobody answers a datagram: it is the one that is dropped, no answer to it.
        await self.drops(why, shout, caller, version, address, ear.getsockname()[1], b"hello", source=source)
        await self.drops(why, self.dial, caller, version, address, server.getsockname()[1], source=source)
        assert is_quiet(ear)
        assert is_quiet(server)

    async def drops(
        self, why: str, action: Callable[..., object], *given: object, by: Firewall | None = None, **named: object
    ) -> None:
        """Call something, and return once a packet was dropped for it."""
        firewall = by or self.firewall
        before = getattr(await firewall.counters(), why)
        action(*given, **named)
        deadline = time.monotonic() + LIMIT
        while getattr(await firewall.counters(), why) == before:
            assert time.monotonic() < deadline, f"nothing is dropped as {why}"

    def dial(self, host: Host, version: int, address: str, port: int, *, source: str = "") -> socket.socket:
        """Return a TCP socket of a host that has begun to connect."""
        made = self.keep(new_socket(host, version))
        if source:
            made.bind((source, 0))
        with contextlib.suppress(BlockingIOError):
            made.connect((address, port))
        return made

    def keep(self, made: socket.socket) -> socket.socket:
        """Close a socket at the end of the test."""
        return self._open.enter_context(made)


class WorldWall(Wall):
    """A wall in the gate of a world, with machines behind it.

    Attributes:
        machines: Addresses of A's machine and B's, by version; they are on the host ``dk``.
    """

    def __init__(self, world: World, players: Players, open_sockets: contextlib.ExitStack) -> None:
        super().__init__(players, open_sockets)
        self.world = world
        self.dk = host_of(world, DK)
        self.machines = {4: ("172.30.0.10", "172.30.0.11"), 6: ("fd00:30::10", "fd00:30::11")}


def is_quiet(sock: socket.socket) -> bool:
    """Return whether nothing came in at a socket: no connection, no data."""
    try:
        if sock.type == socket.SOCK_STREAM and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            sock.accept()[0].close()
        else:
            sock.recv(100)
    except BlockingIOError:
        return True
    return False


def firewall_of(players: Players, *protected: str) -> Firewall:
    """Return the firewall of a gate that has these players."""
    networks = [ip_network(one) for one in protected or PROTECTED]
    return Firewall(players.interface, players.four, players.six, networks)


def host_of(world: World, name: str) -> Host:
    """Return a host of a world."""
    return Host(f"chatsubo-{world.token}-{name}")


@contextlib.contextmanager
def new_wall(world: World) -> Iterator[WorldWall]:
    """A wall in the gate of a world; the test has to be there already."""
    with (
        new_players(host_of(world, GATE), world.token) as players,
        contextlib.ExitStack() as open_sockets,
    ):
        wall = WorldWall(world, players, open_sockets)
        for address in (*wall.machines[4], PROTECTED[0]):
            world.run(DK, "ip", "address", "add", f"{address}/24", "dev", "lan")
        for address in (*wall.machines[6], PROTECTED[1]):
            world.run(DK, "ip", "address", "add", f"{address}/64", "dev", "lan", "nodad")
        world.run(DK, "ip", "address", "add", f"{LINK_LOCAL}/32", "dev", "lan")
        world.run(GATE, *f"ip route add {LINK_LOCAL} via {wall.machines[4][0]} dev lan".split())
        yield wall
