"""The kernel's WireGuard, through generic netlink (the kernel's ``include/uapi/linux/wireguard.h``)."""

import asyncio
import errno
import struct
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from socket import AF_INET, AF_INET6
from typing import TypeVar

from chatsubo.config import Secret
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.wireguard.device import DeviceState, PeerSetting, PeerState
from chatsubo.gate.wireguard.netlink import GenericNetlink, attribute, attributes, nested

FAMILY = "wireguard"
GET_DEVICE, SET_DEVICE = 0, 1

_NAME, _PRIVATE, _PORT, _PEERS = 2, 3, 6, 8
_PUBLIC, _PRESHARED, _FLAGS, _ENDPOINT, _HANDSHAKE, _RECEIVED, _SENT, _ALLOWED = 1, 2, 3, 4, 6, 7, 8, 9
_FAMILY, _ADDRESS, _BITS = 1, 2, 3
_REMOVE, _REPLACE_ALLOWED, _ONLY_UPDATE = 1, 2, 4

_NO_KEY = bytes(32)
# One message holds 64 KiB at most; a peer takes 150 bytes of them.
_BATCH = 200
_TIME = struct.Struct("=qq")
_NANOSECOND = 1e-9

_Answer = TypeVar("_Answer")


class KernelDevice:
    """A device of the kernel.

    Args:
        interface: Its name.
        limit: Seconds that the kernel may be silent.
    """

    def __init__(self, interface: str, limit: float = 10.0) -> None:
        self.interface = interface
        self._limit = limit

    async def state(self) -> DeviceState:
        """See :meth:`Device.state`."""
        name = _device(self.interface)
        return await self._talk(lambda kernel: parse_state(kernel.ask(GET_DEVICE, name)))

    async def used(self) -> Mapping[str, PeerState]:
        """See :meth:`Device.used`."""
        return {public: peer for public, peer in (await self.state()).peers.items() if peer.handshake is not None}

    async def configure(self, *, private: Secret | None = None, port: int | None = None) -> None:
        """See :meth:`Device.configure`."""
        await self._tell([configuration(self.interface, private, port)])

    async def put(self, peers: Sequence[PeerSetting]) -> None:
        """See :meth:`Device.put`."""
        await self._tell(put_messages(self.interface, peers))

    async def take(self, publics: Iterable[str]) -> None:
        """See :meth:`Device.take`."""
        await self._tell(take_messages(self.interface, publics))

    async def _tell(self, messages: Iterable[bytes]) -> None:
        def tell(kernel: GenericNetlink) -> None:
            for message in messages:
                kernel.tell(SET_DEVICE, message)

        await self._talk(tell)

    async def _talk(self, work: Callable[[GenericNetlink], _Answer]) -> _Answer:
        def talk() -> _Answer:
            with GenericNetlink(FAMILY, self._limit) as kernel:
                return work(kernel)

        try:
            return await asyncio.to_thread(talk)
        except TimeoutError:
            raise TunnelError(f"the kernel's WireGuard did not answer within {self._limit:g} s") from None
        except (OSError, ValueError) as error:
            raise TunnelError(_explained(error)) from error


def _explained(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "the UDP port of the gate is taken by another program: end it, or set another port"
    return f"the kernel's WireGuard refused: {error.strerror if isinstance(error, OSError) else error}"


def configuration(interface: str, private: Secret | None, port: int | None) -> bytes:
    """Return the body of the message that sets a device's private key and port, those that are given."""
    message = _device(interface)
    if private is not None:
        message += attribute(_PRIVATE, b64decode(private.reveal()))
    if port is not None:
        message += attribute(_PORT, port.to_bytes(2, sys.byteorder))
    return message


def put_messages(interface: str, peers: Iterable[PeerSetting]) -> list[bytes]:
    """Return the bodies of the messages that add or set peers."""
    return _batches(interface, [_peer_to_put(peer) for peer in peers])


def take_messages(interface: str, publics: Iterable[str]) -> list[bytes]:
    """Return the bodies of the messages that remove peers."""
    flags = attribute(_FLAGS, _u32(_REMOVE | _ONLY_UPDATE))
    return _batches(interface, [nested(0, attribute(_PUBLIC, b64decode(public)), flags) for public in publics])


def _batches(interface: str, peers: Sequence[bytes]) -> list[bytes]:
    name = _device(interface)
    return [name + nested(_PEERS, *peers[start : start + _BATCH]) for start in range(0, len(peers), _BATCH)]


def _device(interface: str) -> bytes:
    return attribute(_NAME, interface.encode() + b"\0")


def _u32(number: int) -> bytes:
    return number.to_bytes(4, sys.byteorder)


def _peer_to_put(peer: PeerSetting) -> bytes:
    return nested(
        0,
        attribute(_PUBLIC, b64decode(peer.public)),
        attribute(_PRESHARED, b64decode(peer.preshared.reveal()) if peer.preshared else _NO_KEY),
        attribute(_FLAGS, _u32(_REPLACE_ALLOWED)),
        nested(_ALLOWED, *map(_allowed, peer.allowed)),
    )


def _allowed(text: str) -> bytes:
    network = ip_network(text)
    family = AF_INET if network.version == 4 else AF_INET6  # noqa: PLR2004
    return nested(
        0,
        attribute(_FAMILY, int(family).to_bytes(2, sys.byteorder)),
        attribute(_ADDRESS, network.network_address.packed),
        attribute(_BITS, bytes([network.prefixlen])),
    )


def parse_state(messages: Iterable[bytes]) -> DeviceState:
    """Return what the messages about a device say; a peer that did not fit into one goes on in the next.

    Raises:
        ValueError: One is cut short.
    """
    private, port = _NO_KEY, 0
    peers: dict[bytes, dict[int, bytes]] = {}
    for message in messages:
        for kind, value in attributes(message):
            if kind == _PRIVATE:
                private = value
            elif kind == _PORT:
                port = int.from_bytes(value, sys.byteorder)
            elif kind == _PEERS:
                _gather(value, peers)
    found = map(_peer_state, peers.values())
    return DeviceState(private=_secret(private), port=port, peers={peer.setting.public: peer for peer in found})


def _gather(body: bytes, peers: dict[bytes, dict[int, bytes]]) -> None:
    for _, peer in attributes(body):
        said = dict(attributes(peer))
        known = peers.setdefault(said[_PUBLIC], {})
        said[_ALLOWED] = known.get(_ALLOWED, b"") + said.get(_ALLOWED, b"")
        known |= said


def _peer_state(said: dict[int, bytes]) -> PeerState:
    seconds, nanoseconds = _TIME.unpack(said.get(_HANDSHAKE, bytes(_TIME.size)))
    return PeerState(
        setting=PeerSetting(
            public=b64encode(said[_PUBLIC]).decode(),
            preshared=_secret(said.get(_PRESHARED, _NO_KEY)),
            allowed=frozenset(_network(dict(attributes(one))) for _, one in attributes(said[_ALLOWED])),
        ),
        handshake=seconds + nanoseconds * _NANOSECOND if seconds else None,
        received=int.from_bytes(said.get(_RECEIVED, b""), sys.byteorder),
        sent=int.from_bytes(said.get(_SENT, b""), sys.byteorder),
        endpoint=_endpoint(said.get(_ENDPOINT, b"")),
    )


def _network(said: dict[int, bytes]) -> str:
    return f"{ip_address(said[_ADDRESS])}/{said[_BITS][0]}"


def _endpoint(address: bytes) -> str:
    """Return a ``sockaddr`` as text: the port is in its bytes 2 and 3, the address after it or after a flow label."""
    if not address:
        return ""
    port = int.from_bytes(address[2:4], "big")
    if int.from_bytes(address[:2], sys.byteorder) == AF_INET:
        return f"{ip_address(address[4:8])}:{port}"
    return f"[{ip_address(address[8:24])}]:{port}"


def _secret(key: bytes) -> Secret | None:
    return None if key == _NO_KEY else Secret(b64encode(key).decode())
