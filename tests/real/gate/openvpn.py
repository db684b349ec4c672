"""OpenVPN's server in the gate's namespace, with players who use the plain client and the file that they were given."""

import asyncio
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatsubo.domain.clock import Clock, utc_now
from chatsubo.gate.config import GateConfig
from chatsubo.gate.model import Connection, Peer
from chatsubo.gate.openvpn import OpenVPNTunnel
from tests.real.gate.world import GATE, PUBLIC, World
from tests.unit.gate.openvpn.bench import FOUR, SIX, gate_file, new_peer

GATEWAY, GATEWAY6 = str(FOUR), str(SIX)
LIMIT = 60.0


class Bench:
    """A gate with two accesses, for A and B.

    Attributes:
        world: The namespaces; the test itself is in the gate's.
        config: The gate's file.
        tunnel: The VPN server.
        a: The access of the player in ``pA``.
        b: Likewise in ``pB``.
    """

    def __init__(self, world: World, clock: Clock = utc_now, **more: Any) -> None:
        routes = ("172.30.0.0/24", "fd00:30::/64")
        usual: dict[str, Any] = {"endpoint": PUBLIC[GATE], "interface": world.device("ov"), "routes": routes}
        self.world = world
        self.config: GateConfig = gate_file(world.folder / "state", **usual | more)
        self.tunnel = OpenVPNTunnel(self.config, clock)
        self.a, self.b = (new_peer(self.tunnel, number) for number in (1, 2))

    @property
    def files(self) -> Path:
        """The folder with the server's files."""
        return self.config.state / "openvpn"

    @property
    def pid(self) -> int:
        """The server's process."""
        return int((self.files / "server.pid").read_text())

    def connect(self, host: str, text: str) -> "Client":
        """Start a player's client with the text of a file."""
        return Client(self.world, host, text)

    def join(self, host: str, peer: Peer) -> "Client":
        """Likewise, and wait until the tunnel carries packets."""
        client = self.connect(host, self.tunnel.client_file(peer))
        assert self.world.reaches(host, GATEWAY, within=LIMIT), client.log
        return client

    async def offline(self, peer: Peer) -> Connection:
        """Wait until a player is connected no more, and return the last connection."""
        async with asyncio.timeout(LIMIT):
            while True:
                last = (await self.tunnel.connections())[peer.uid]
                if not last.online:
                    return last
                await asyncio.sleep(0.02)

    async def server_says(self, text: str) -> None:
        """Wait until the server's log has a text."""
        await until(lambda: text in (self.files / "server.log").read_text(errors="replace"), f"the log has {text!r}")


class Client:
    """A player's ``openvpn``."""

    _number = 0

    def __init__(self, world: World, host: str, text: str) -> None:
        Client._number += 1
        folder = world.folder / f"client-{Client._number}"
        folder.mkdir()
        (folder / "player.ovpn").write_text(text)
        self._log = folder / "log"
        self.process: subprocess.Popen[bytes] = world.spawn(
            host, "openvpn", "--config", str(folder / "player.ovpn"), "--log", str(self._log)
        )

    @property
    def log(self) -> str:
        """What it said so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    async def says(self, text: str) -> None:
        """Wait until its log has a text."""
        await until(lambda: text in self.log, f"the client's log has {text!r}")

    def ended(self) -> int:
        """Wait until it ends, and return its status."""
        return self.process.wait(LIMIT)

    def leave(self) -> None:
        """End it as a player does, and wait for that."""
        self.process.terminate()
        self.process.wait(LIMIT)


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: It did not within a minute.
    """
    deadline = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        await asyncio.sleep(0.02)
