"""Who has an access: the list, its places, and the file that remembers it."""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from time import time

from msgspec import Struct
from msgspec.structs import replace

from chatsubo.gate.addresses import AddressPlan
from chatsubo.gate.config import GateConfig
from chatsubo.gate.errors import NameTaken, RealmFull, StateError, UnknownPeer
from chatsubo.gate.model import Addresses, Keys, Peer
from chatsubo.gate.state import State

_MINUTE = 60.0

Issue = Callable[[str, Addresses], Keys]
"""Makes the keys of a peer, of which it is given the uid and the addresses."""


class Adopted(Struct, frozen=True, kw_only=True):
    """An access that was made elsewhere. One without a name is handed out before any is made here.

    Attributes:
        keys: What its player proves to be itself with.
        name: Whose it is.
        addresses: Where its player is in the tunnel; any free place, where it has none yet.
    """

    keys: Keys
    name: str = ""
    addresses: Addresses | None = None


class Roster:
    """The accesses. Its methods block, and are called one at a time; what returned is on the disk.

    Args:
        config: The gate's file.
        state: Remembers the list.
        issue: Makes keys.
        clock: Seconds since 1970.

    Raises:
        StateError: What is remembered cannot be read, or does not fit the subnet.
    """

    def __init__(self, config: GateConfig, state: State, issue: Issue, clock: Callable[[], float] = time) -> None:
        self._config, self._state, self._issue, self._clock = config, state, issue, clock
        known = state.peers()
        self._plan = AddressPlan(config.network4, config.network6, [one.number for one in known])
        for one in known:
            if one.addresses != self._plan.at(one.number):
                raise StateError(
                    f"{one.addresses.four} is no address of {config.subnet}: the subnet was changed while players have "
                    "accesses; set it back, or move the state folder away, and every player gets a new access"
                )
        self._by_name = {one.name: one for one in known if one.name}
        self._spare = [one for one in known if not one.name]

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def peers(self) -> Sequence[Peer]:
        """The accesses that players have."""
        return list(self._by_name.values())

    @property
    def places(self) -> int:
        """How many accesses there can be."""
        return self._plan.places

    @property
    def free(self) -> int:
        """How many are left to be given."""
        return self._plan.free + len(self._spare)

    def get(self, name: str) -> Peer | None:
        """Return a player's access, if there is one."""
        return self._by_name.get(name)

    def of(self, name: str) -> Peer:
        """Return a player's access.

        Raises:
            UnknownPeer: There is none.
        """
        if name not in self._by_name:
            raise UnknownPeer(f"nobody is called {name!r} here")
        return self._by_name[name]

    def adopt(self, accesses: Iterable[Adopted]) -> None:
        """Take in accesses that were made elsewhere, once: one that ended since never comes back.

        Raises:
            StateError: An address is no player's, or somebody's already.
            RealmFull: There are not as many places.
        """
        known = self._state.adopted()
        unknown = [one for one in accesses if one.keys.public not in known and one.name not in self._by_name]
        fresh = [self._taken_in(one) for one in unknown]
        self._state.adopt(fresh)
        self._by_name |= {one.name: one for one in fresh if one.name}
        self._spare += [one for one in fresh if not one.name]

    def add(self, names: Sequence[str]) -> list[Peer]:
        """Give accesses to players who have none: all of them or none. Adopted ones go first.

        Raises:
            RealmFull: There are not as many places.
        """
        if len(names) > self.free:
            raise RealmFull("Realm is full")
        spare = self._spare[: len(names)]
        handed = [replace(one, name=name, made=self._clock()) for one, name in zip(spare, names, strict=False)]
        fresh: list[Peer] = []
        try:
            fresh += (self._made(name, self._plan.take()) for name in names[len(handed) :])
            self._state.put([*handed, *fresh], instead_of=spare)
        except BaseException:
            for one in fresh:
                self._plan.give_back(one.number)
            raise
        del self._spare[: len(handed)]
        self._by_name |= {one.name: one for one in (*handed, *fresh)}
        return [*handed, *fresh]

    def rename(self, name: str, new: str) -> Peer:
        """Call a player something else; the access stays.

        Raises:
            UnknownPeer: Nobody is called so.
            NameTaken: Somebody has the new name.
        """
        peer = self.of(name)
        if new in self._by_name:
            raise NameTaken(f"somebody is called {new!r} here already")
        renamed = replace(peer, name=new)
        self._state.put([renamed], instead_of=[peer])
        del self._by_name[name]
        self._by_name[new] = renamed
        return renamed

    def rotate(self, name: str) -> tuple[Peer, Peer]:
        """Give a player new keys at the same place; return the access that ended, and the new one.

        Raises:
            UnknownPeer: Nobody is called so.
        """
        old = self.of(name)
        new = self._made(name, old.number)
        self._state.put([new], instead_of=[old])
        self._by_name[name] = new
        return old, new

    def remove(self, peers: Sequence[Peer]) -> None:
        """End accesses; their places can be given again."""
        self._state.remove(peers)
        for one in peers:
            del self._by_name[one.name]
            self._plan.give_back(one.number)

    def expired(self, count: int, online: Collection[str]) -> list[Peer]:
        """Return accesses that may end to make room: those that were never used first, then the oldest.

        Args:
            count: How many.
            online: The uids of those that are in use now.

        Raises:
            RealmFull: There are not as many.
        """
        if self._config.expiration is None:
            raise RealmFull("Realm is full")
        limit = self._clock() - self._config.expiration * _MINUTE
        found = [one for one in self.peers if (one.seen or one.made) < limit and one.uid not in online]
        if len(found) < count:
            raise RealmFull("Realm is full")
        found.sort(key=lambda one: (one.seen is not None, one.seen or one.made))
        return found[:count]

    def saw(self, when: Mapping[str, float]) -> None:
        """Remember when players were last connected, by the uid of their accesses."""
        self._state.saw(when)
        for one in self.peers:
            if one.uid in when:
                self._by_name[one.name] = replace(one, seen=when[one.uid])

    def _made(self, name: str, number: int) -> Peer:
        uid, addresses = uuid.uuid4().hex, self._plan.at(number)
        keys = self._issue(uid, addresses)
        return Peer(uid=uid, name=name, number=number, addresses=addresses, keys=keys, made=self._clock())

    def _taken_in(self, one: Adopted) -> Peer:
        number = self._plan.take() if one.addresses is None else self._place_of(one.addresses)
        uid, addresses = uuid.uuid4().hex, self._plan.at(number)
        return Peer(uid=uid, name=one.name, number=number, addresses=addresses, keys=one.keys, made=self._clock())

    def _place_of(self, addresses: Addresses) -> int:
        number = self._plan.number_of(addresses.four)
        if number is None:
            raise StateError(f"{addresses.four}, of a peer to adopt, is no player's address of {self._config.subnet}")
        if not self._plan.take_just(number):
            raise StateError(f"{addresses.four}, of a peer to adopt, is another player's already")
        return number
