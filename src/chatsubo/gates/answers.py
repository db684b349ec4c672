"""What a gate and the platform tell each other over the versioned API."""

from typing import Annotated

from msgspec import Meta, Struct

MOST = 2**62
"""No number of a gate's is larger: the database takes them all, and a picture can always follow the one that holds."""
MOST_PLACES = 2**31 - 1
"""Likewise of how many accesses there are."""

Number = Annotated[int, Meta(ge=0, le=MOST)]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+\Z")]


class Reach(Struct, frozen=True, kw_only=True):
    """What one player may reach.

    Attributes:
        two_way: Addresses of machines that may open connections to the player too.
        one_way: Addresses of machines that may only answer.
    """

    two_way: tuple[str, ...] = ()
    one_way: tuple[str, ...] = ()


class Health(Struct, frozen=True, kw_only=True):
    """How a gate is.

    Attributes:
        kind: ``wireguard`` or ``openvpn``.
        errors: What does not work now; empty if all is well.
        places: How many accesses it can give.
        free: How many are left.
        peers: How many were given.
        picture: The version of the picture of who may reach what that it holds.
        clock: The gate's time of day, in seconds since 1970; ``None`` if it did not say.
    """

    kind: str
    errors: tuple[str, ...]
    places: int
    free: int
    peers: int
    picture: int
    clock: float | None = None


class Connection(Struct, frozen=True, kw_only=True):
    """A player's connection.

    Attributes:
        name: What gates call the player.
        online: Whether it is up.
        since: Since when, in seconds since 1970.
        received: Bytes that came from the player.
        sent: Bytes that went to the player.
        addresses: Where the player is in the tunnel.
    """

    name: Name
    online: bool
    since: float | None = None
    received: Number = 0
    sent: Number = 0
    addresses: tuple[str, ...] = ()
