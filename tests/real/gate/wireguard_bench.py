"""A gate's WireGuard in the small internet, and accesses to it."""

import os
import select
import signal
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from chatsubo.config import Secret
from chatsubo.gate.config import GateConfig
from chatsubo.gate.model import Addresses, Keys, Peer
from chatsubo.gate.wireguard import WireGuardTunnel
from chatsubo.gate.wireguard.keys import new_private_key
from tests.real.gate.world import GATE, PUBLIC, World

OWN, OWN6 = "10.66.0.1", "fd66::1"
"""The gate's addresses in the tunnel."""


class WireGuardBench:
    """What the tests of WireGuard make tunnels and peers with.

    Attributes:
        world: Where it all is.
        interface: The name of the gate's interface.
        private: The gate's private key.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.interface = world.device("wg")
        self.private = new_private_key()
        self._number = 0

    def config(self, **settings: Any) -> GateConfig:
        """Return the gate's file, with other settings than the usual ones."""
        usual: dict[str, Any] = {
            "realm": "realm",
            "auth_token": Secret("token"),
            "endpoint": PUBLIC[GATE],
            "interface": self.interface,
            "subnet6": "fd66::/64",
            "routes": ("172.30.0.0/24", "fd00:30::/64"),
            "state": self.world.folder / "state",
        }
        return GateConfig(**(usual | settings))

    def tunnel(self, private: Secret | None = None, **settings: Any) -> WireGuardTunnel:
        """Return a tunnel, as each start of the gate makes one."""
        return WireGuardTunnel(self.config(**settings), private or self.private)

    def peer(self, keys: Keys | None = None, addresses: Addresses | None = None) -> Peer:
        """Return a new access, at the next address or the given one."""
        self._number += 1
        config = self.config()
        assert config.network6 is not None
        place = addresses or Addresses(four=config.network4[self._number + 1], six=config.network6[self._number + 1])
        uid = uuid.uuid4().hex
        return Peer(
            uid=uid,
            name=f"player-{self._number}",
            number=self._number,
            addresses=place,
            keys=keys or self.tunnel().issue(uid, place),
            made=0.0,
        )

    def server_pids(self) -> list[int]:
        """Return the processes of the gate's WireGuard."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(FileNotFoundError, ProcessLookupError):
                words = path.read_bytes().split(b"\0")
                if words[0].endswith(b"wireguard-go") and words[1:2] == [self.interface.encode()]:
                    found.append(int(path.parent.name))
        return found

    def kill_the_server(self) -> None:
        """Kill the gate's WireGuard, and wait until it is gone."""
        for pid in self.server_pids():
            descriptor = os.pidfd_open(pid)
            try:
                os.kill(pid, signal.SIGKILL)
                # Readable when the process has ended, with all that it held.
                assert select.select([descriptor], [], [], 60)[0]
            finally:
                os.close(descriptor)

    def wg(self, what: str) -> dict[str, str]:
        """Return what ``wg show`` says of the peers, by their public keys."""
        lines = self.world.run(GATE, "wg", "show", self.interface, what).stdout.splitlines()
        return dict(line.split("\t", 1) for line in lines)
