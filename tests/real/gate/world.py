"""A small internet: a gate, a machine behind it, and two players, each a network namespace."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.real.namespace import Host, run

INET, GATE, DK, PA, PB = HOSTS = ("inet", "gate", "dk", "pA", "pB")

PUBLIC = {INET: "198.51.100.254", GATE: "198.51.100.1", PA: "198.51.100.10", PB: "198.51.100.11"}
PUBLIC6 = {INET: "2001:db8:1::fe", GATE: "2001:db8:1::1", PA: "2001:db8:1::a", PB: "2001:db8:1::b"}
INNER = {GATE: "172.30.0.1", DK: "172.30.0.2"}
INNER6 = {GATE: "fd00:30::1", DK: "fd00:30::2"}

WIREGUARD_SOCKETS = Path("/var/run/wireguard")


class World:
    """Five namespaces with addresses and routes, and whatever runs in them.

    ``inet`` is a switch with an address of its own, which everybody on it has as the way to the rest. ``gate``, ``pA``
    and ``pB`` have a leg ``wan`` on it (:data:`PUBLIC`, :data:`PUBLIC6`). ``gate`` has a leg ``lan`` besides, to ``dk``
    (:data:`INNER`, :data:`INNER6`), which has no other way out.

    Attributes:
        token: Six digits that no other world on this machine has; names of devices are made of it.
        folder: A folder for files, removed at the end.
    """

    def __init__(self) -> None:
        self.token = secrets.token_hex(3)
        self.folder = Path(tempfile.mkdtemp(prefix=f"chatsubo-{self.token}-"))
        self._hosts = {name: Host(f"chatsubo-{self.token}-{name}") for name in HOSTS}
        self._processes: list[subprocess.Popen[bytes]] = []

    def create(self) -> None:
        """Make the namespaces, the cables between them, and turn forwarding on in the gate."""
        for name, host in self._hosts.items():
            run("ip", "netns", "add", host.name)
            self._ip(name, "link set lo up")
        self._ip(INET, "link add br0 type bridge", "link set br0 up", *_addresses("br0", INET))
        for name in (GATE, PA, PB):
            self._cable(name, "wan", INET, f"to-{name}")
            self._ip(INET, f"link set to-{name} master br0")
            self._ip(name, *_addresses("wan", name))
            self._ip(name, f"route add default via {PUBLIC[INET]}", f"-6 route add default via {PUBLIC6[INET]}")
        self._cable(GATE, "lan", DK, "lan")
        for name in (GATE, DK):
            self._ip(name, f"address add {INNER[name]}/24 dev lan", f"address add {INNER6[name]}/64 dev lan nodad")
        self._ip(DK, f"route add default via {INNER[GATE]}", f"-6 route add default via {INNER6[GATE]}")
        self.forwarding(GATE, on=True)

    def remove(self) -> None:
        """End whatever runs in the namespaces and remove them, however far :meth:`create` came."""
        for process in self._processes:
            process.kill()
            process.wait()
        for name, host in self._hosts.items():
            self._end_all(name)
            run("ip", "netns", "delete", host.name, check=False)
        for path in WIREGUARD_SOCKETS.glob(f"*{self.token}*.sock"):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def device(self, prefix: str) -> str:
        """Return a name for an interface that nobody else on this machine has; ``prefix`` has nine letters at most."""
        return f"{prefix}{self.token}"

    def forwarding(self, host: str, *, on: bool) -> None:
        """Turn forwarding on or off in a host, IPv4 and IPv6."""
        with self.inside(host):
            for path in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
                Path("/proc/sys/net", path).write_text("1" if on else "0")

    def run(self, host: str, *command: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command in a host and return its result, with its output as text.

        Raises:
            RuntimeError: It failed; the error says what it wrote.
        """
        return self._hosts[host].run(*command, check=check, **options)

    def spawn(self, host: str, *command: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command in a host; it is killed at the end. Its output goes to a file in the folder."""
        with (self.folder / f"{len(self._processes)}-{host}-{Path(command[0]).name}.log").open("wb") as log:
            usual: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
            process: subprocess.Popen[bytes] = subprocess.Popen(self._hosts[host].enter(*command), **usual | options)
        self._processes.append(process)
        return process

    def inside(self, host: str) -> AbstractContextManager[None]:
        """Return a context in which this thread, and the threads and processes that it makes, are in a host."""
        return self._hosts[host].inside()

    def connect(self, host: str, address: str, port: int, timeout: float = 60.0) -> socket.socket:
        """Return a TCP connection that was made in a host; it goes on working from here.

        Raises:
            OSError: The connection was not taken.
        """
        return self._hosts[host].connect(address, port, timeout)

    def listen(self, host: str, address: str, port: int = 0) -> socket.socket:
        """Return a TCP socket that listens in a host."""
        return self._hosts[host].listen(address, port)

    def reaches(self, host: str, address: str, *, within: float = 30.0) -> bool:
        """Return whether an address answers a ping from a host within so many seconds; ends at the first answer."""
        # With a deadline, ping ends at the first answer or when the time is up.
        ping = ("ping", "-n", "-q", "-i", "0.2", "-c", "1", "-w", str(max(1, round(within))), address)
        return self.run(host, *ping, check=False).returncode == 0

    def pids(self, host: str) -> set[int]:
        """Return the processes that run in a host."""
        found = run("ip", "netns", "pids", self._hosts[host].name, check=False).stdout
        return {int(pid) for pid in found.split()} - {os.getpid()}

    def _end_all(self, host: str) -> None:
        # Daemons that a test started have left their parents; they are still in the namespace.
        deadline = time.monotonic() + 20
        while pids := self.pids(host):
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise RuntimeError(f"processes {pids} in {host} do not end")
            time.sleep(0.01)

    def _cable(self, host: str, leg: str, other: str, other_leg: str) -> None:
        names = self._hosts[host].name, self._hosts[other].name
        run(*f"ip link add {leg} netns {names[0]} type veth peer name {other_leg} netns {names[1]}".split())
        self._ip(host, f"link set {leg} up")
        self._ip(other, f"link set {other_leg} up")

    def _ip(self, host: str, *lines: str) -> None:
        for line in lines:
            run("ip", "-n", self._hosts[host].name, *line.split())


def _addresses(leg: str, host: str) -> tuple[str, str]:
    return f"address add {PUBLIC[host]}/24 dev {leg}", f"address add {PUBLIC6[host]}/64 dev {leg} nodad"


@contextmanager
def new_world() -> Iterator[World]:
    """A world that is removed at the end, even if it was not made whole."""
    world = World()
    try:
        world.create()
        yield world
    finally:
        world.remove()
