"""A player with WireGuard's plain tools and the file that the gate made."""

import time
from collections.abc import Iterator

from tests.real.gate.world import WIREGUARD_SOCKETS, World

# What `wg setconf` takes; the rest of a file is for `wg-quick`.
_FOR_WG = {"privatekey", "listenport", "publickey", "presharedkey", "endpoint", "allowedips", "persistentkeepalive"}


class WireGuardPlayer:
    """A player's machine.

    Args:
        world: Where it is.
        host: Which host of it.
        text: The client's file.
    """

    def __init__(self, world: World, host: str, text: str) -> None:
        self._world, self._host, self._text = world, host, text
        self.device = world.device(f"w{host}")

    def connect(self) -> None:
        """Bring the tunnel up as ``wg-quick up`` does; the first packet makes the handshake."""
        self._world.spawn(self._host, "wireguard-go", "-f", self.device)
        self._wait_for_the_socket()
        file = self._world.folder / f"{self.device}.conf"
        lines = [line for line in self._text.splitlines() if self._is_for_wg(line)]
        file.write_text("\n".join(lines) + "\n")
        self.run("wg", "setconf", self.device, str(file))
        for address in self.values("address"):
            self.run("ip", "address", "add", address, "dev", self.device)
        mtu = next(self.values("mtu"), "1420")
        self.run("ip", "link", "set", self.device, "mtu", mtu, "up")
        for route in self.values("allowedips"):
            self.run("ip", "-6" if ":" in route else "-4", "route", "replace", route, "dev", self.device)

    def run(self, *command: str) -> str:
        """Run a command on the player's machine and return its output."""
        return self._world.run(self._host, *command).stdout

    def reaches(self, address: str, *, within: float = 30.0) -> bool:
        """Return whether an address answers a ping within so many seconds."""
        return self._world.reaches(self._host, address, within=within)

    def values(self, key: str) -> Iterator[str]:
        """Yield what the file says under a key, one by one."""
        for line in self._text.splitlines():
            name, _, value = line.partition("=")
            if name.strip().lower() == key:
                yield from (part.strip() for part in value.split(","))

    def _is_for_wg(self, line: str) -> bool:
        return line.startswith("[") or line.partition("=")[0].strip().lower() in _FOR_WG

    def _wait_for_the_socket(self) -> None:
        deadline = time.monotonic() + 30
        while not (WIREGUARD_SOCKETS / f"{self.device}.sock").exists():
            if time.monotonic() > deadline:
                raise RuntimeError(f"wireguard-go made no socket for {self.device}")
            time.sleep(0.005)
