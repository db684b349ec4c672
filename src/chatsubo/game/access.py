"""Who may reach what: composed of live sessions, shared machines and the gates that players are bound to."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_address

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
    """Composes pictures; lists of providers are decoded again only when they have changed.

    Args:
        clock: The time of day.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offers = OffersReader()

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
        own = _own(await machine_addresses(tx, realms))
        shared = _Shared(await self._offers.read(tx), await all_boxes(tx))
        reaches: dict[str, Reach] = {}
        for name, (player, allowed) in _allowed(players, realms).items():
            two_way = {one for realm in allowed for one in own.get((player.account_id, realm), ())}
            one_way: set[str] = set()
            for realm in allowed:
                common = shared.of(realm, is_admin=player.role == Role.ADMIN)
                (two_way if realm in connecting_back else one_way).update(common)
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
    found = set()
    for text in addresses:
        try:
            address = ip_address(text or "")
        except ValueError:
            continue
        address = getattr(address, "ipv4_mapped", None) or address
        barred = address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified
        if not barred and not address.is_reserved and not getattr(address, "scope_id", None):
            found.add(str(address))
    return found


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
