"""Which address a new box gets."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from ipaddress import IPv4Address

from chatsubo.providers.docker.network import Network
from chatsubo.providers.exc import NoCapacity


class Addresses:
    """Hands out addresses, each once.

    What the engine knows is asked anew each time, so that several processes may share a network; what this process
    has handed out and the engine does not know yet is kept here. Addresses are handed out in turn, so that one that
    was given back is not another player's box a second later.
    """

    def __init__(self) -> None:
        self._held: set[IPv4Address] = set()
        self._last: dict[str, IPv4Address] = {}
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def hold(
        self, network: Network, used: Callable[[], Awaitable[AbstractSet[IPv4Address]]]
    ) -> AsyncIterator[IPv4Address]:
        """Yield a free address, which nobody else gets until the block is left.

        Args:
            network: Where.
            used: Asks the engine for the addresses in use.

        Raises:
            NoCapacity: All are in use.
        """
        async with self._turn:
            # What is given back while the engine is asked may be in use by then.
            before = set(self._held)
            address = pick(network, before | await used() | self._held, self._last.get(network.name))
            self._held.add(address)
            self._last[network.name] = address
        try:
            yield address
        finally:
            self._held.discard(address)


def pick(network: Network, used: AbstractSet[IPv4Address], last: IPv4Address | None) -> IPv4Address:
    """Return the first free address after ``last``, from the beginning again after the end.

    Args:
        network: Where.
        used: Those in use; the network's own are added.
        last: The one that was handed out last; without it, any place to begin at.

    Raises:
        NoCapacity: All are in use.
    """
    first, end = int(network.subnet.network_address) + 1, int(network.subnet.broadcast_address)
    size = end - first
    start = int(last) + 1 if last is not None and last in network.subnet else first + secrets.randbelow(size)
    taken = used | network.taken
    for step in range(size):
        candidate = IPv4Address(first + (start - first + step) % size)
        if candidate not in taken:
            return candidate
    raise NoCapacity(f"all addresses of the network {network.name} ({network.subnet}) are in use")
