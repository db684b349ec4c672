"""What a gate knows: players' accesses to it, and who is connected."""

from ipaddress import IPv4Address, IPv6Address

from msgspec import Struct

from chatsubo.config import Secret


class Addresses(Struct, frozen=True, kw_only=True):
    """Where a player is in the tunnel.

    Attributes:
        four: The IPv4 address.
        six: The IPv6 address, where the gate has a subnet for it.
    """

    four: IPv4Address
    six: IPv6Address | None = None


class Keys(Struct, frozen=True, kw_only=True):
    """What a VPN server and a client know each other by.

    Attributes:
        public: WireGuard: the player's public key, in base64. OpenVPN: the certificate's serial number, in hexadecimal.
        material: What else the client's configuration is made of, as JSON: private key, pre-shared key, certificate, or
            the text of a file that was adopted.
    """

    public: str
    material: Secret


class Peer(Struct, frozen=True, kw_only=True):
    """A player's access.

    Attributes:
        uid: 32 hexadecimal digits, made anew with the keys; the peer's name to the VPN server (OpenVPN: common name).
        name: What the platform calls the player.
        number: The place in the subnet, from 1: the addresses follow from it.
        addresses: Where the player is in the tunnel.
        keys: What the player proves to be itself with.
        made: When, in seconds since 1970.
        seen: When the player was last connected, likewise; None for never.
    """

    uid: str
    name: str
    number: int
    addresses: Addresses
    keys: Keys
    made: float
    seen: float | None = None


class Connection(Struct, frozen=True, kw_only=True):
    """A player who is connected now, or was.

    Attributes:
        online: Whether the tunnel is up now.
        handshake: When the keys were last exchanged, in seconds since 1970; None for never.
        received: Bytes that came from the player since the VPN server began to count.
        sent: Bytes that went to the player, likewise.
        endpoint: Where the player's packets come from, as ``host:port``; empty if unknown.
    """

    online: bool
    handshake: float | None
    received: int
    sent: int
    endpoint: str = ""


class Pair(Struct, frozen=True, kw_only=True):
    """A player and a machine that the player may reach.

    Attributes:
        player: The player's address in the tunnel.
        machine: The machine's address.
        back: Whether the machine may open connections to the player; otherwise it only answers.
    """

    player: IPv4Address | IPv6Address
    machine: IPv4Address | IPv6Address
    back: bool
