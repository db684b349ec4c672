"""The network interface of a gate, through netlink."""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable, Collection
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from socket import AF_INET6
from typing import TypeVar

from msgspec import Struct
from pyroute2 import AsyncIPRoute
from pyroute2.netlink.exceptions import NetlinkError

from chatsubo.gate.errors import TunnelError

_Answer = TypeVar("_Answer")

Interface = IPv4Interface | IPv6Interface

KERNEL, TUN = "wireguard", "tun"
"""The kinds of interface that the kernel's WireGuard makes, and a process."""

_UP = 0x1  # IFF_UP
_NO_DUPLICATES_LOOKED_FOR = 0x02  # IFA_F_NODAD: there is nobody else on a tunnel
_LINK_LOCAL = 253  # RT_SCOPE_LINK
_UNKNOWN_KIND = {errno.EOPNOTSUPP, errno.ENODEV, errno.ENOENT}


class LinkState(Struct, frozen=True, kw_only=True):
    """An interface.

    Attributes:
        index: The kernel's number for it.
        kind: What it is, such as ``wireguard``, ``tun``, ``bridge``; empty for a card.
        up: Whether it is up.
    """

    index: int
    kind: str
    up: bool


class Link:
    """An interface, by name. Each method is one visit to the kernel.

    Args:
        name: The name.
        limit: Seconds that one visit may take.
    """

    def __init__(self, name: str, limit: float = 10.0) -> None:
        self.name = name
        self._limit = limit

    async def state(self) -> LinkState | None:
        """Return what the interface is, None if nothing is called so.

        Raises:
            TunnelError: The kernel cannot be asked.
        """
        return await self._visit("looked at", self._find)

    async def create(self) -> bool:
        """Make an interface of the kernel's WireGuard, and return whether the kernel has one.

        Raises:
            TunnelError: It refuses.
        """
        return await self._visit("made", self._create)

    async def arrange(self, mtu: int, addresses: Collection[Interface]) -> None:
        """Set the largest packet, in bytes, and just these addresses; those that it has stay as they are.

        Raises:
            TunnelError: There is no such interface, or the kernel refuses.
        """

        async def arrange(netlink: AsyncIPRoute) -> None:
            index = await self._index(netlink)
            await netlink.link("set", index=index, mtu=mtu)
            there = await _addresses(netlink, index)
            for address in there - set(addresses):
                await netlink.addr("del", index=index, address=str(address.ip), prefixlen=address.network.prefixlen)
            for address in set(addresses) - there:
                await self._add(netlink, index, address)

        await self._visit("given its addresses", arrange)

    async def bring_up(self) -> None:
        """Bring the interface up.

        Raises:
            TunnelError: There is no such interface, or the kernel refuses.
        """

        async def bring_up(netlink: AsyncIPRoute) -> None:
            await netlink.link("set", index=await self._index(netlink), state="up")

        await self._visit("brought up", bring_up)

    async def delete(self) -> None:
        """Remove the interface, if it is there.

        Raises:
            TunnelError: The kernel refuses.
        """

        async def delete(netlink: AsyncIPRoute) -> None:
            if (found := await self._find(netlink)) is not None:
                await netlink.link("del", index=found.index)

        await self._visit("removed", delete)

    async def _visit(self, what: str, work: Callable[[AsyncIPRoute], Awaitable[_Answer]]) -> _Answer:
        async def visit() -> _Answer:
            async with asyncio.timeout(self._limit), AsyncIPRoute() as netlink:
                return await work(netlink)

        def in_a_loop_of_its_own() -> _Answer:
            # uvloop has no netlink.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                return runner.run(visit())

        try:
            return await asyncio.to_thread(in_a_loop_of_its_own)
        except (NetlinkError, OSError) as error:
            raise TunnelError(f"the interface {self.name} cannot be {what}: {_reason(error)}") from error

    async def _find(self, netlink: AsyncIPRoute) -> LinkState | None:
        try:
            found = await netlink.link("get", ifname=self.name)
        except NetlinkError as error:
            if error.code == errno.ENODEV:
                return None
            raise
        link = found[0]
        return LinkState(index=link["index"], kind=link.get(("linkinfo", "kind")) or "", up=bool(link["flags"] & _UP))

    async def _index(self, netlink: AsyncIPRoute) -> int:
        found = await self._find(netlink)
        if found is None:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return found.index

    async def _add(self, netlink: AsyncIPRoute, index: int, address: Interface) -> None:
        flags = {"flags": _NO_DUPLICATES_LOOKED_FOR} if isinstance(address, IPv6Interface) else {}
        try:
            await netlink.addr(
                "add", index=index, address=str(address.ip), prefixlen=address.network.prefixlen, **flags
            )
        except NetlinkError as error:
            if isinstance(address, IPv6Interface) and error.code in {errno.EACCES, errno.EOPNOTSUPP}:
                raise TunnelError(
                    f"the interface {self.name} cannot be given {address}, as IPv6 is off: turn it on "
                    f"(sysctl net.ipv6.conf.{self.name}.disable_ipv6=0), or leave subnet6 out"
                ) from error
            raise

    async def _create(self, netlink: AsyncIPRoute) -> bool:
        try:
            await netlink.link("add", ifname=self.name, kind=KERNEL)
        except NetlinkError as error:
            if error.code in _UNKNOWN_KIND:
                return False
            raise
        return True


async def _addresses(netlink: AsyncIPRoute, index: int) -> set[Interface]:
    """Return the addresses of an interface, without those that the kernel gave it by itself."""
    return {
        ip_interface(f"{one.get_attr('IFA_LOCAL') or one.get_attr('IFA_ADDRESS')}/{one['prefixlen']}")
        async for one in await netlink.addr("dump", index=index)
        if one["family"] != AF_INET6 or one["scope"] != _LINK_LOCAL
    }


def _reason(error: NetlinkError | OSError) -> str:
    code = error.code if isinstance(error, NetlinkError) else error.errno
    if isinstance(error, TimeoutError):
        return "the kernel did not answer in time"
    if code in {errno.EPERM, errno.EACCES}:
        return f"{os.strerror(code)}; run the gate as root, or with CAP_NET_ADMIN"
    return os.strerror(code) if code else str(error)
