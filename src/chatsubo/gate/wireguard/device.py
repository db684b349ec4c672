"""What a gate asks of a WireGuard device, be it the kernel's or a process, and what it answers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from chatsubo.config import Secret
from chatsubo.gate.model import Peer
from chatsubo.gate.wireguard.keys import Material


class PeerSetting(Struct, frozen=True, kw_only=True):
    """A peer as the device should have it.

    Attributes:
        public: Its public key, in base64, as all keys here.
        preshared: The pre-shared key, if the pair has one.
        allowed: The addresses that are its own, as ``10.66.0.2/32``.
    """

    public: str
    preshared: Secret | None
    allowed: frozenset[str]

    @classmethod
    def of(cls, peer: Peer) -> "PeerSetting":
        """Return what the device should know of a player."""
        addresses = peer.addresses
        allowed = {f"{addresses.four}/32"} | ({f"{addresses.six}/128"} if addresses.six else set())
        return cls(public=peer.keys.public, preshared=Material.of(peer.keys).preshared, allowed=frozenset(allowed))


class PeerState(Struct, frozen=True, kw_only=True):
    """A peer as the device has it.

    Attributes:
        setting: What it was set to.
        handshake: When the keys were last exchanged, in seconds since 1970; None for never.
        received: Bytes that came from it.
        sent: Bytes that went to it.
        endpoint: Where its packets come from, as ``host:port``; empty if unknown.
    """

    setting: PeerSetting
    handshake: float | None
    received: int
    sent: int
    endpoint: str


class DeviceState(Struct, frozen=True, kw_only=True):
    """A device and its peers.

    Attributes:
        private: Its private key; None for a device that has none yet.
        port: The UDP port that it listens on; 0 for none yet.
        peers: By their public keys.
    """

    private: Secret | None
    port: int
    peers: Mapping[str, PeerState]


class Device(Protocol):
    """A WireGuard device. Every method has a time limit, and may be called again after it failed half way."""

    async def state(self) -> DeviceState:
        """Return what the device is set to, and its peers.

        Raises:
            TunnelError: It does not answer.
        """

    async def used(self) -> Mapping[str, PeerState]:
        """Return the peers that ever exchanged keys, by their public keys: cheaper than all of them.

        Raises:
            TunnelError: It does not answer.
        """

    async def configure(self, *, private: Secret | None = None, port: int | None = None) -> None:
        """Set the private key or the port, those that are given; peers stay.

        Raises:
            TunnelError: It does not answer, or the port is taken.
        """

    async def put(self, peers: Sequence[PeerSetting]) -> None:
        """Add peers, or set those that are there; sessions go on. An address moves to the last peer that is given it.

        Raises:
            TunnelError: It does not answer.
        """

    async def take(self, publics: Iterable[str]) -> None:
        """Remove peers by their public keys; those that are not there are no trouble.

        Raises:
            TunnelError: It does not answer.
        """
