"""Who may reach what, as the platform says it."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chatsubo.gate.model import Addresses, Pair

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Address = IPv4Address | IPv6Address


class Reach(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one player may reach.

    Attributes:
        two_way: Machines that may open connections to the player too: the player's own.
        one_way: Machines that may only answer: those that players share, unless the realm wants it otherwise.
    """

    two_way: tuple[str, ...] = ()
    one_way: tuple[str, ...] = ()


class Picture(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of it.

    Attributes:
        version: Counts up; an older picture never replaces a newer one.
        players: What each may reach, by the name that the platform gives players; nobody else reaches anything.
    """

    version: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    players: dict[Name, Reach] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        for reach in self.players.values():
            for text in (*reach.two_way, *reach.one_way):
                _address(text)


def pairs_of(reach: Reach, player: Addresses) -> set[Pair]:
    """Return the pairs of one player."""
    both = {_address(text) for text in reach.two_way}
    others = {_address(text) for text in reach.one_way} - both
    return {*_paired(player, both, back=True), *_paired(player, others, back=False)}


def _paired(player: Addresses, machines: Iterable[Address], *, back: bool) -> Iterable[Pair]:
    for machine in machines:
        own: Address | None = player.four if machine.version == player.four.version else player.six
        if own is not None:
            yield Pair(player=own, machine=machine, back=back)


def _address(text: str) -> Address:
    """Return an address. With a zone (``fe80::1%eth0``) it is none of a machine's, and the zone could be any text.

    Raises:
        ValueError: It is none.
    """
    found = ip_address(text)
    if isinstance(found, IPv6Address) and found.scope_id is not None:
        raise ValueError("an address of a machine has no zone")
    return found
