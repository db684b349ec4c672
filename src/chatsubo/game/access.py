"""Who may reach what: composed of live sessions, shared machines and the gates that players are bound to."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.clock import Clock
from chatsubo.domain.event import Phase
from chatsubo.game.actor import Role
from chatsubo.game.offers import Offers, OffersReader
from chatsubo.gates import Reach
from chatsubo.store.boxes import Box, all_boxes
from chatsubo.store.event_window import read_window
from chatsubo.store.gates import Admission, admissions
from chatsubo.store.sessions import MachineAddress, machine_addresses


class AccessPicture(Struct, frozen=True):
    """What each player may reach through one gate.

    Attributes:
        players: By the name that gates call a player; who reaches nothing is left out.
    """

    players: Mapping[str, Reach]

    @property
    def digest(self) -> str:
        """SHA-256 of what it says: two pictures with one digest say the same."""
        return hashlib.sha256(msgspec.json.encode(self.players, order="sorted")).hexdigest()


class AccessReader:
    """Composes the pictures of one gate, each anew only when something that it is made of has changed.

    It is asked every second, and twice for each change. With 10,000 players who have a machine each, to read what a
    picture is made of takes 55 ms, and to compose it 150 the first time, 50 later.

    Args:
        clock: The time of day.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offers = OffersReader()
        self._facts: _Facts | None = None
        self._picture = AccessPicture({})

    async def picture(
        self, tx: AsyncConnection, url: str, realms: Collection[str], connecting_back: Collection[str] = ()
    ) -> AccessPicture:
        """Return what each player who is bound to a gate may reach through it.

        A player's own machines are those of live sessions that are up, until their stop is asked for. Shared machines
        are those of released boxes; organisers reach those of every box that is not deleted. Of a realm that a player
        was cut off from, nothing; nothing at all for the banned, nor for players while the event is not open.

        Args:
            tx: An open transaction.
            url: The gate.
            realms: All realms that it leads to.
            connecting_back: The realms whose shared machines may open connections to players.
        """
        players = await admissions(tx, url)
        if (await read_window(tx)).phase(self._clock()) is not Phase.OPEN:
            players = [one for one in players if one.role == Role.ADMIN]
        facts = _Facts(
            url,
            frozenset(realms),
            frozenset(connecting_back),
            players,
            await machine_addresses(tx, realms),
            await self._offers.read(tx),
            await all_boxes(tx),
        )
        if facts != self._facts:
            self._picture = _composed(facts)
            self._facts = facts
        return self._picture


class _Facts(NamedTuple):
    """What a picture is made of."""

    url: str
    realms: frozenset[str]
    connecting_back: frozenset[str]
    players: list[Admission]
    machines: tuple[MachineAddress, ...]
    offers: Offers
    boxes: list[Box]


def _composed(facts: _Facts) -> AccessPicture:
    own = _own(facts.machines)
    shared = _Shared(facts.offers, facts.boxes)
    reaches: dict[str, Reach] = {}
    for name, (player, allowed) in _allowed(facts.players, facts.realms).items():
        two_way = {one for realm in allowed for one in own.get((player.account_id, realm), ())}
        one_way: set[str] = set()
        for realm in allowed:
            common = shared.of(realm, is_admin=player.role == Role.ADMIN)
            (two_way if realm in facts.connecting_back else one_way).update(common)
        if two_way or one_way:
            reaches[name] = Reach(two_way=tuple(sorted(two_way)), one_way=tuple(sorted(one_way - two_way)))
    return AccessPicture(reaches)


class _Shared:
    """The addresses of machines that players share."""

    def __init__(self, offers: Offers, boxes: Iterable[Box]) -> None:
        self._players: dict[str, set[str]] = defaultdict(set)
        self._admins: dict[str, set[str]] = defaultdict(set)
        for box in boxes:
            if box.deleted_at is not None:
                continue
            for _, instance in offers.shared(box):
                addresses = reachable([instance.address, *(one.address for one in instance.machines)])
                self._admins[instance.realm] |= addresses
                if box.is_open:
                    self._players[instance.realm] |= addresses

    def of(self, realm: str, *, is_admin: bool) -> set[str]:
        return (self._admins if is_admin else self._players)[realm]


def reachable(addresses: Iterable[str | None]) -> set[str]:
    """Return the addresses that a gate can let players reach, as they are written usually.

    Left out are names, and what is no machine of a realm whatever a label says: loopback, link-local (clouds have
    secrets there), multicast and the like.
    """
    return {found for text in addresses if text and (found := _reachable(text))}


@lru_cache(maxsize=1 << 16)
def _reachable(text: str) -> str:
    """Return an address as it is written usually; empty if no gate can let players reach it."""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    address = getattr(address, "ipv4_mapped", None) or address
    barred = address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified
    return "" if barred or address.is_reserved or getattr(address, "scope_id", None) else str(address)


def _own(machines: Iterable[MachineAddress]) -> Mapping[tuple[int, str], set[str]]:
    own: dict[tuple[int, str], set[str]] = defaultdict(set)
    for one in machines:
        own[one.account_id, one.realm] |= reachable(one.addresses)
    return own


def _allowed(players: Iterable[Admission], realms: Collection[str]) -> dict[str, tuple[Admission, set[str]]]:
    """Return by name the players with an access to the gate, and the realms that each may reach through it."""
    allowed: dict[str, tuple[Admission, set[str]]] = {}
    barred: dict[str, set[str]] = defaultdict(set)
    for one in players:
        if one.cut_off:
            barred[one.gate_name].add(one.realm)
        else:
            allowed[one.gate_name] = (one, set(realms))
    return {name: (one, found - barred[name]) for name, (one, found) in allowed.items()}
