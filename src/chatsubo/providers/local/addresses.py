"""Loopback addresses and ports for instances."""

import errno
import secrets
import socket
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Network

from chatsubo.providers.exc import NoCapacity

COMMON = "127.0.0.1"
"""The address that all instances share where the system gives them none of their own, as macOS does."""

_TRIES = 8

BindPort = Callable[[str, int], int | None]


def bound_port(address: str, port: int) -> int | None:
    """Return the port that a service can bind: ``port``, or any free one where that is 0; None if it cannot.

    Raises:
        OSError: The address itself cannot be bound.
    """
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return None
            raise
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Lease:
    """What an instance holds from its start to its end, through every reset.

    Attributes:
        slot: Its number among the instances, from 0.
        address: Its address.
        ports: Its ports, by the name of the service.
    """

    slot: int
    address: str
    ports: Mapping[str, int]


class Addresses:
    """A range of loopback addresses to give out.

    Args:
        network: The range, in CIDR notation.
        bind: Finds out whether a port can be bound; see :func:`bound_port`.
    """

    def __init__(self, network: str, bind: BindPort = bound_port) -> None:
        self.network = IPv4Network(network)
        self.size = self.network.num_addresses - 2
        self._bind = bind
        self._own: bool | None = None

    @property
    def own(self) -> bool:
        """Whether the system lets each instance have an address of its own."""
        if self._own is None:
            try:
                self._bind(str(self.network[1]), 0)
                self._own = True
            except OSError:
                self._own = False
        return self._own

    def lease(self, wanted: Mapping[str, int], held: Collection[Lease]) -> Lease:
        """Return a lease that collides with nobody's.

        Args:
            wanted: The ports that the services would like, by name. One that cannot be had is replaced by a free one.
            held: The leases that are held now.

        Raises:
            NoCapacity: The range is used up, or no port is free.
        """
        taken = {lease.slot for lease in held}
        if len(taken) >= self.size:
            raise NoCapacity(f"all {self.size} addresses of {self.network} are in use")
        free = self._free_slots(taken)
        if not self.own:
            return Lease(free[0], COMMON, self._ports(COMMON, wanted, held))
        for slot in free:
            address = str(self.network[slot + 1])
            if all(self._bind(address, port) for port in wanted.values()):
                return Lease(slot, address, dict(wanted))
        # A service that listens on all addresses has one of the ports, whatever the address.
        address = str(self.network[free[0] + 1])
        return Lease(free[0], address, self._ports(address, wanted, held))

    def _free_slots(self, taken: set[int]) -> list[int]:
        """Return some free slots, from a random place on: an address that became free is not at once another's."""
        start = secrets.randbelow(self.size)
        free: list[int] = []
        for step in range(self.size):
            slot = (start + step) % self.size
            if slot not in taken:
                free.append(slot)
            if len(free) == _TRIES:
                break
        return free

    def _ports(self, address: str, wanted: Mapping[str, int], held: Collection[Lease]) -> dict[str, int]:
        taken = {port for lease in held if lease.address == address for port in lease.ports.values()}
        ports: dict[str, int] = {}
        for name, port in wanted.items():
            ports[name] = self._port(address, port, taken)
            taken.add(ports[name])
        return ports

    def _port(self, address: str, wanted: int, taken: set[int]) -> int:
        for port in (wanted, *([0] * 64)):
            if port not in taken and (bound := self._bind(address, port)) and bound not in taken:
                return bound
        raise NoCapacity(f"no port is free at {address}")
