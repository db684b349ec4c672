"""Standings: derived from the accepted flags each time, never stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Solve:
    """An accepted flag.

    Attributes:
        account_id: Who found it.
        flag_id: Which flag.
        at: When, with a time zone.
    """

    account_id: int
    flag_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of the standings.

    Attributes:
        rank: From 1; no two lines share one.
        account_id: Whose line it is.
        score: The sum of the points of the flags found.
        found: How many flags were found.
        last_at: When the score was last raised; of two equal scores the earlier one is before.
    """

    rank: int
    account_id: int
    score: int
    found: int
    last_at: datetime


def standings(solves: Iterable[Solve], points: Mapping[int, int]) -> tuple[Standing, ...]:
    """Return the standings, best first.

    Args:
        solves: In any order; a flag counts once per account. Flags that ``points`` does not know are left out.
        points: What each flag that counts is worth, by its id.
    """
    tallies: dict[int, _Tally] = {}
    seen: set[tuple[int, int]] = set()
    for solve in sorted(solves, key=lambda one: one.at):
        key = (solve.account_id, solve.flag_id)
        if solve.flag_id in points and key not in seen:
            seen.add(key)
            tallies.setdefault(solve.account_id, _Tally(solve.at)).add(points[solve.flag_id], solve.at)
    order = sorted(tallies.items(), key=lambda item: (-item[1].score, item[1].last_at, item[0]))
    return tuple(
        Standing(rank, account_id, tally.score, tally.found, tally.last_at)
        for rank, (account_id, tally) in enumerate(order, start=1)
    )


class _Tally:
    """What one account has found so far."""

    __slots__ = ("found", "last_at", "score")

    def __init__(self, first_at: datetime) -> None:
        self.score = 0
        self.found = 0
        self.last_at = first_at

    def add(self, worth: int, at: datetime) -> None:
        self.score += worth
        self.found += 1
        if worth:
            self.last_at = at
