"""Network namespaces: several hosts on one machine."""

import ctypes
import os
import secrets
import socket
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLONE_NEWNET = 0x40000000


def run(*command: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command and return its result, with its output as text.

    Raises:
        RuntimeError: It failed; the error says what it wrote.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr or done.stdout}")
    return done


class Host:
    """A network namespace to run things in.

    Attributes:
        name: What ``ip netns`` calls it.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name

    def enter(self, *command: str) -> list[str]:
        """Return ``command`` so that it runs inside; the cgroups and the file system stay those of the machine."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *command]

    def run(self, *command: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as :func:`run` does."""
        return run(*self.enter(*command), check=check, **options)

    def connect(self, address: str, port: int, timeout: float = 60.0) -> socket.socket:
        """Return a TCP connection that was made inside; it goes on working from here.

        Raises:
            OSError: The connection was not taken.
        """

        def dial() -> socket.socket:
            self._move_this_thread()
            return socket.create_connection((address, port), timeout)

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(dial).result()

    def listen(self, address: str, port: int = 0) -> socket.socket:
        """Return a TCP socket that listens inside."""

        def bind() -> socket.socket:
            self._move_this_thread()
            return socket.create_server((address, port))

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(bind).result()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Move this thread, and the threads and processes that it makes meanwhile, inside."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            self._move_this_thread()
            yield
        finally:
            _set_namespace(before, "the one before")
            os.close(before)

    def _move_this_thread(self) -> None:
        descriptor = os.open(Path("/run/netns") / self.name, os.O_RDONLY)
        try:
            _set_namespace(descriptor, self.name)
        finally:
            os.close(descriptor)


def _set_namespace(descriptor: int, name: str) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"cannot enter the namespace {name}")


class Namespace(Host):
    """A network namespace that a veth pair joins to this process's own.

    Attributes:
        number: A number from 1 to 254, unique on this machine while the namespace is there; addresses are made of it.
        address: Its address, as this process reaches it.
        outside: This process's address, as seen from inside.
    """

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.address = ""
        self.outside = ""

    def create(self, routes: Sequence[str] = ()) -> None:
        """Make the namespace.

        Args:
            routes: Networks behind it, ``{number}`` stands for its number, that this process should reach through it.
        """
        self._join()
        self.name = f"chatsubo-{self.number}-{secrets.token_hex(3)}"
        self.address, self.outside = f"10.200.{self.number}.2", f"10.200.{self.number}.1"
        run("ip", "netns", "add", self.name)
        run("ip", "link", "set", self._inner, "netns", self.name)
        run("ip", "address", "add", f"{self.outside}/30", "dev", self._outer)
        run("ip", "link", "set", self._outer, "up")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "address", "add", f"{self.address}/30", "dev", self._inner)
        self.run("ip", "link", "set", self._inner, "up")
        for route in routes:
            run("ip", "route", "add", route.format(number=self.number), "via", self.address)

    def remove(self) -> None:
        """Remove the namespace and what leads to it."""
        run("ip", "link", "delete", self._outer, check=False)
        if self.name:
            run("ip", "netns", "delete", self.name, check=False)

    @property
    def _outer(self) -> str:
        return f"chs{self.number}o"

    @property
    def _inner(self) -> str:
        return f"chs{self.number}i"

    def _join(self) -> None:
        # The kernel refuses a name that is taken, so two test runs never share a number.
        numbers = list(range(1, 255))
        secrets.SystemRandom().shuffle(numbers)
        for self.number in numbers:
            pair = run("ip", "link", "add", self._outer, "type", "veth", "peer", "name", self._inner, check=False)
            if pair.returncode == 0:
                return
        raise RuntimeError(f"no network namespace can be joined to this one: {pair.stderr}")
