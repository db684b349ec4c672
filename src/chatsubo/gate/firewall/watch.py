"""Who else changes the rules, as the kernel tells it: nobody has to be asked again and again, and no second is lost."""

import asyncio
import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from chatsubo.gate.errors import FirewallError
from chatsubo.gate.firewall.docker_user import CHAIN

# From the kernel's headers linux/netlink.h, linux/netfilter/nfnetlink.h and linux/netfilter/nf_tables.h.
_NETLINK_NETFILTER = 12
_GROUP_NFTABLES = 1 << (7 - 1)
_NFTABLES = 10 << 8
_DELTABLE, _NEWCHAIN, _DELCHAIN, _NEWRULE, _DELRULE = 2, 3, 5, 6, 8
_CHANGES = {_NFTABLES | kind for kind in (_DELTABLE, _NEWCHAIN, _DELCHAIN, _NEWRULE, _DELRULE)}
_HEADER = struct.Struct("=IHHII")
_LONGEST = 1 << 16


class Watch:
    """Sees changes of a table's chains and rules, and of DOCKER-USER; elements that come and go are no matter.

    A context manager, to be used in one task.

    Args:
        table: The table's name.

    Raises:
        FirewallError: The kernel does not tell.
    """

    def __init__(self, table: str) -> None:
        self._names = (f"{table}\0".encode(), f"{CHAIN}\0".encode())
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        self._socket.setblocking(False)
        try:
            self._socket.bind((0, _GROUP_NFTABLES))
        except OSError as error:
            self._socket.close()
            raise FirewallError(f"the kernel does not tell who changes its rules: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    async def disturbed(self) -> None:
        """Return once there was a change since the last call, the gate's own included."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                told = await loop.sock_recv(self._socket, _LONGEST)
            except OSError:  # so much was changed that the kernel lost count
                return
            if any(kind in _CHANGES and self._concerns(body) for kind, body in _messages(told)):
                return

    def _concerns(self, body: bytes) -> bool:
        return any(name in body for name in self._names)


def _messages(told: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and body of each message; they begin at multiples of four bytes."""
    start = 0
    while start + _HEADER.size <= len(told):
        length, kind, *_ = _HEADER.unpack_from(told, start)
        yield kind, told[start + _HEADER.size : start + length]
        start += max(_HEADER.size, length + 3 & ~3)
