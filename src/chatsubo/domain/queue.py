"""Who is next where places are few: players who have fewer machines first, then those who asked first."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A session that waits for a place at its provider.

    Attributes:
        session_id: Which one.
        account_id: Whose; ``None`` for one without an owner, which counts as a player of its own.
        asked_at: Since when it waits.
    """

    session_id: str
    account_id: int | None
    asked_at: datetime


def in_turn(waiting: Iterable[Waiting], held: Mapping[int | None, int]) -> list[Waiting]:
    """Return those who wait in the order in which they get a place.

    A player whose turn came counts as having one machine more, so that one player's many sessions do not stand in front
    of everybody else's first.

    Args:
        waiting: In any order.
        held: How many machines each account has, those that are being made included.
    """
    lines: dict[int | None, list[Waiting]] = {}
    for one in sorted(waiting, key=lambda each: (each.asked_at, each.session_id), reverse=True):
        lines.setdefault(one.account_id, []).append(one)
    turns = [(held.get(who, 0), line[-1].asked_at, line[-1].session_id, who) for who, line in lines.items()]
    heapq.heapify(turns)
    order: list[Waiting] = []
    while turns:
        has, _, _, who = heapq.heappop(turns)
        order.append(lines[who].pop())
        if lines[who]:
            following = lines[who][-1]
            heapq.heappush(turns, (has + 1, following.asked_at, following.session_id, who))
    return order
