"""Which addresses players have in the tunnel."""

from collections import deque
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from itertools import chain

from chatsubo.gate.errors import RealmFull
from chatsubo.gate.model import Addresses

GATE = 1
"""The place of the gate itself: the first host of a subnet. Players' numbers are counted from it."""


class AddressPlan:
    """The subnet's places, numbered from 1.

    Args:
        four: The IPv4 subnet. Its first and last address are of no use, the next is the gate's.
        six: The IPv6 subnet, if there is one; a place has the same number in both.
        taken: The numbers that players have.
    """

    def __init__(self, four: IPv4Network, six: IPv6Network | None, taken: Iterable[int]) -> None:
        self._four, self._six = four, six
        places = min(four.num_addresses - 3, six.num_addresses - 2 if six else four.num_addresses)
        self.places = max(0, places)
        self._taken = set(taken)
        self._next = 1
        self._given_back: deque[int] = deque()

    @property
    def free(self) -> int:
        """How many places are left."""
        return max(0, self.places - len(self._taken))

    @property
    def gate(self) -> Addresses:
        """Where the gate itself is."""
        return self.at(0)

    def at(self, number: int) -> Addresses:
        """Return the addresses of a place."""
        six = self._six[GATE + number] if self._six else None
        return Addresses(four=self._four[GATE + number], six=six)

    def number_of(self, four: IPv4Address) -> int | None:
        """Return the place that an address belongs to; None where it is no player's."""
        number = int(four) - int(self._four.network_address) - GATE
        return number if 1 <= number <= self.places else None

    def take(self) -> int:
        """Take a place, and return its number: a fresh one first, then the one that was given back longest ago.

        Raises:
            RealmFull: There is none left.
        """
        for number in chain(self._fresh(), self._returned()):
            if self.take_just(number):
                return number
        raise RealmFull("Realm is full")

    def take_just(self, number: int) -> bool:
        """Take this place; return whether it was free."""
        if number in self._taken:
            return False
        self._taken.add(number)
        return True

    def give_back(self, number: int) -> None:
        """Let a place be taken again."""
        self._taken.discard(number)
        self._given_back.append(number)

    def _fresh(self) -> Iterable[int]:
        while self._next <= self.places:
            self._next += 1
            yield self._next - 1

    def _returned(self) -> Iterable[int]:
        while self._given_back:
            yield self._given_back.popleft()
