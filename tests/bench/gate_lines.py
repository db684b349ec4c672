"""Players' lines to a gate: when a packet passes, how much does, and the same WireGuard set up by hand."""

import errno
import select
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import IPv4Address

from chatsubo.gate.wireguard.keys import new_preshared_key, new_private_key, public_key
from tests.real.gate.wireguard_player import WireGuardPlayer
from tests.real.gate.world import DK, GATE, INNER, PA, PUBLIC, WIREGUARD_SOCKETS, World, new_world

PORT = 51820
CLOSED_PORT = 9
FIRST = IPv4Address("10.66.0.1")
ROUTE = "172.30.0.0/24"
LIMIT = 60.0
_EVERY = 2
"""Milliseconds between two packets that ask whether one passes."""
_CHUNK = 1 << 18


def passes(world: World, host: str, address: str, port: int, stop: threading.Event | None = None) -> float:
    """Return when a machine's first answer to a player came, as :func:`time.perf_counter` tells it.

    Every two milliseconds a new connection is asked for: one packet each, so that none that was dropped is waited for.
    A machine that refuses the connection has answered too.
    """
    limit = time.monotonic() + LIMIT
    asked: dict[int, socket.socket] = {}
    poll = select.poll()
    try:
        with world.inside(host):
            while time.monotonic() < limit and not (stop and stop.is_set()):
                made = socket.socket()
                made.setblocking(False)
                made.connect_ex((address, port))
                asked[made.fileno()] = made
                poll.register(made, select.POLLOUT)
                for descriptor, _ in poll.poll(_EVERY):
                    poll.unregister(descriptor)
                    if asked[descriptor].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in (0, errno.ECONNREFUSED):
                        return time.perf_counter()
    finally:
        for one in asked.values():
            one.close()
    raise TimeoutError(f"nothing passes from {host} to {address}")


@contextmanager
def asking(world: World, host: str, address: str, port: int = CLOSED_PORT) -> Iterator[Future[float]]:
    """Ask in the background, from now on, until an answer comes; the future holds when that was."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        try:
            yield thread.submit(passes, world, host, address, port, stop)
        finally:
            stop.set()


def copy(world: World, size: int) -> float:
    """Return how many seconds so many bytes take from player A to the machine behind the gate, over one connection."""
    with world.listen(DK, INNER[DK]) as server, ThreadPoolExecutor(1) as thread:
        taken = thread.submit(_swallow, server)
        with world.connect(PA, INNER[DK], server.getsockname()[1]) as line:
            chunk = bytes(_CHUNK)
            began = time.perf_counter()
            for _ in range(size // _CHUNK):
                line.sendall(chunk)
        assert taken.result() == size // _CHUNK * _CHUNK
        return time.perf_counter() - began


def _swallow(server: socket.socket) -> int:
    """Return how many bytes come over the next connection."""
    server.settimeout(LIMIT)
    line, _ = server.accept()
    buffer, total = bytearray(_CHUNK), 0
    with line:
        line.settimeout(LIMIT)
        while got := line.recv_into(buffer):
            total += got
    return total


class ByHand:
    """WireGuard as an operator sets it up with ``wg`` and ``ip``: one player, no rules, a world of its own.

    Attributes:
        world: Where it is.
        device: The gate's interface.
    """

    def __init__(self, world: World) -> None:
        self.world, self.device = world, world.device("hand")

    def set_up(self) -> None:
        """Bring it up, with player A connected."""
        server, player = new_private_key(), new_private_key()
        # The kernel shares out processors among sessions (sched(7), autogroup): without one of its own, as the gate's
        # has, it is given a third more of them than that.
        self.world.spawn(GATE, "wireguard-go", "-f", self.device, start_new_session=True)
        limit = time.monotonic() + LIMIT
        while not (WIREGUARD_SOCKETS / f"{self.device}.sock").exists():
            assert time.monotonic() < limit, "wireguard-go does not start"
            time.sleep(0.005)
        shared = new_preshared_key().reveal()
        lines = ["[Interface]", f"PrivateKey = {server.reveal()}", f"ListenPort = {PORT}"]
        self._wg("setconf", "\n".join([*lines, *_peer(public_key(player), shared, FIRST + 1)]))
        for words in (f"address add {FIRST}/16 dev {self.device}", f"link set {self.device} mtu 1420 up"):
            self.world.run(GATE, "ip", *words.split())
        lines = ["[Interface]", f"PrivateKey = {player.reveal()}", f"Address = {FIRST + 1}/32", "[Peer]"]
        lines += [f"PublicKey = {public_key(server)}", f"PresharedKey = {shared}", f"Endpoint = {PUBLIC[GATE]}:{PORT}"]
        lines.append(f"AllowedIPs = {ROUTE}, {FIRST}/32")
        WireGuardPlayer(self.world, PA, "\n".join(lines)).connect()
        assert self.world.reaches(PA, str(FIRST), within=LIMIT), "the tunnel by hand does not come up"

    def add(self, first: int, count: int) -> float:
        """Make keys for so many peers and add them, all with one ``wg``; return how long that took, in seconds."""
        began = time.perf_counter()
        found: list[str] = []
        for number in range(first, first + count):
            found += _peer(public_key(new_private_key()), new_preshared_key().reveal(), FIRST + number)
        self._wg("addconf", "\n".join(found))
        return time.perf_counter() - began

    def _wg(self, verb: str, text: str) -> None:
        file = self.world.folder / "hand.conf"
        file.write_text(f"{text}\n")
        self.world.run(GATE, "wg", verb, self.device, str(file))


def _peer(public: str, shared: str, address: IPv4Address) -> list[str]:
    return ["[Peer]", f"PublicKey = {public}", f"PresharedKey = {shared}", f"AllowedIPs = {address}/32"]


@contextmanager
def by_hand() -> Iterator[ByHand]:
    """WireGuard that was set up by hand, and is taken down at the end."""
    with new_world() as world:
        made = ByHand(world)
        made.set_up()
        yield made
