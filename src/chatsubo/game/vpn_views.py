"""What people see of realms and their gates, on pages and over the JSON API. Never a configuration, never a key."""

from datetime import datetime
from typing import Literal

from msgspec import Struct


class RealmAccess(Struct, frozen=True, kw_only=True):
    """The reader's own way into one realm.

    Attributes:
        realm: The realm.
        kind: ``wireguard`` or ``openvpn``; ``None`` if the gate did not say, as old ones do not. Of several gates,
            that of the reader's own, or else of the first one with a place.
        given: Whether the reader was given a configuration that still holds.
        connected: Whether the reader is connected now; ``None`` if the gate cannot tell, as old ones cannot.
        since: Since when.
        away: Whether the gate does not answer, or is not well.
        full: Whether the gate has no place left; always ``False`` for who has one.
        renewable: Whether a new configuration can be asked for.
        cut_off: Whether an organiser has cut the reader off.
    """

    realm: str
    kind: str | None
    given: bool
    connected: bool | None
    since: datetime | None
    away: bool
    full: bool
    renewable: bool
    cut_off: bool


class GatePlayer(Struct, frozen=True, kw_only=True):
    """A player who is bound to a gate, for organisers.

    Attributes:
        account_id: The account.
        username: Its name.
        gate_name: What the gate calls it.
        realm: In which realm. A player of a gate that serves several realms is there once for each.
        given: Whether the player was given a configuration that still holds.
        connected: Whether the player is connected now; always ``False`` at an old gate, which cannot tell.
        since: Since when.
        received: Bytes from the player in this connection, as of a minute ago at most.
        sent: Bytes to the player, likewise.
        addresses: Where the player is in the tunnel, or was in its last connection; empty if not known.
        cut_off_at: When an organiser cut the player off; ``None`` if nobody did.
    """

    account_id: int
    username: str
    gate_name: str
    realm: str
    given: bool
    connected: bool
    since: datetime | None
    received: int
    sent: int
    addresses: tuple[str, ...]
    cut_off_at: datetime | None


class GateView(Struct, frozen=True, kw_only=True):
    """A gate, for organisers.

    Attributes:
        url: Where it is.
        realms: What it leads to.
        kind: ``wireguard`` or ``openvpn``; ``None`` if it did not say.
        enforces: Whether it lets players reach nothing but what is theirs. ``False`` at an old gate: all of its players
            reach whatever the network lets them, each other too. ``None`` if it never answered.
        up_to_date: Whether it holds the present picture of who may reach what; ``None`` where it has no such thing.
        places: How many accesses it can give; ``None`` if it did not say; likewise the next two.
        free: How many are left.
        peers: How many were given.
        seen_at: When it last answered.
        away: Whether it does not answer now, or does not let the platform in.
        problem: What is wrong now, in English; ``None`` if it is well.
        problem_since: Since when.
        online: How many players are connected now.
        players: Who is bound to it: the connected ones first, then by name.
        strangers: Names of those who are connected, and whom this platform does not know.
    """

    url: str
    realms: tuple[str, ...]
    kind: str | None
    enforces: bool | None
    up_to_date: bool | None
    places: int | None
    free: int | None
    peers: int | None
    seen_at: datetime | None
    away: bool
    problem: str | None
    problem_since: datetime | None
    online: int
    players: tuple[GatePlayer, ...]
    strangers: tuple[str, ...]


class GateTrouble(Struct, frozen=True, kw_only=True):
    """A gate that organisers have to see to.

    Attributes:
        url: Where it is.
        realms: What it leads to.
        kind: ``away`` if it does not answer or does not let the platform in, ``unwell`` if it says that something does
            not work, ``full`` if a realm of it has no place left at any of its gates.
        problem: What is wrong, in English; ``None`` if it is full.
        since: Since when, likewise.
    """

    url: str
    realms: tuple[str, ...]
    kind: Literal["away", "unwell", "full"]
    problem: str | None
    since: datetime | None
