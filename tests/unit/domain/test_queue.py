"""Who is next where places are few."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chatsubo.domain.queue import Waiting, in_turn

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def waiting(*asked: tuple[int | None, int]) -> list[Waiting]:
    """Return sessions named ``ACCOUNT@SECOND``."""
    return [Waiting(f"{who}@{second}", who, START + timedelta(seconds=second)) for who, second in asked]


def turns(line: list[Waiting], held: dict[int | None, int] | None = None) -> list[str]:
    return [one.session_id for one in in_turn(line, held or {})]


def test_who_asked_first_is_first_when_nobody_has_anything() -> None:
    assert turns(waiting((1, 3), (2, 1), (3, 2))) == ["2@1", "3@2", "1@3"]


def test_a_player_with_many_wishes_does_not_stand_in_front_of_everybody_else() -> None:
    line = waiting((1, 1), (1, 2), (1, 3), (2, 4), (3, 5))

    assert turns(line) == ["1@1", "2@4", "3@5", "1@2", "1@3"]


def test_who_has_a_machine_already_waits_for_those_who_have_none() -> None:
    assert turns(waiting((1, 1), (2, 9)), {1: 1}) == ["2@9", "1@1"]


def test_sessions_without_an_owner_count_as_one_player() -> None:
    assert turns(waiting((None, 1), (None, 2), (1, 3))) == ["None@1", "1@3", "None@2"]


LINES = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 50)), max_size=20, unique=True)
HELD: st.SearchStrategy[dict[int | None, int]] = st.dictionaries(st.integers(1, 4), st.integers(0, 3))


@given(LINES, HELD)
def test_everybody_gets_a_turn_once_and_never_while_another_has_less(
    asked: list[tuple[int, int]], held: dict[int | None, int]
) -> None:
    line = waiting(*asked)

    order = in_turn(line, held)

    assert sorted(order, key=lambda one: one.session_id) == sorted(line, key=lambda one: one.session_id)
    has = Counter(held)
    for number, one in enumerate(order):
        rest = order[number:]
        assert has[one.account_id] == min(has[other.account_id] for other in rest)
        has[one.account_id] += 1


@given(LINES)
def test_one_player_is_served_in_the_order_of_asking(asked: list[tuple[int, int]]) -> None:
    order = in_turn(waiting(*asked), {})

    for account in {who for who, _ in asked}:
        own = [one.asked_at for one in order if one.account_id == account]
        assert own == sorted(own)
