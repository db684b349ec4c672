"""Standings, derived from the accepted flags."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chatsubo.domain.scoring import Solve, standings

START = datetime(2026, 11, 23, tzinfo=UTC)
POINTS = {1: 100, 2: 250, 3: 0, 4: 500}

solves = st.lists(
    st.builds(
        Solve,
        account_id=st.integers(1, 6),
        flag_id=st.integers(1, 5),
        at=st.integers(0, 50).map(lambda minutes: START + timedelta(minutes=minutes)),
    ),
    max_size=40,
)


@given(solves)
def test_a_score_is_the_sum_of_the_points_of_the_different_flags_found(found):
    for row in standings(found, POINTS):
        flags = {solve.flag_id for solve in found if solve.account_id == row.account_id and solve.flag_id in POINTS}
        assert (row.score, row.found) == (sum(POINTS[flag] for flag in flags), len(flags))


@given(solves)
def test_ranks_count_from_one_without_gaps_and_scores_never_rise(found):
    rows = standings(found, POINTS)
    assert [row.rank for row in rows] == list(range(1, len(rows) + 1))
    assert [row.score for row in rows] == sorted((row.score for row in rows), reverse=True)


@given(solves, st.randoms())
def test_the_order_in_which_solves_are_told_does_not_matter(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    assert standings(shuffled, POINTS) == standings(found, POINTS)


@given(solves, st.integers(1, 6), st.integers(1, 5))
def test_a_flag_never_scores_twice(found, account_id, flag_id):
    again = Solve(account_id, flag_id, START + timedelta(days=1))
    once = standings([*found, again], POINTS)
    assert standings([*found, again, again], POINTS) == once


def test_of_two_equal_scores_the_one_that_was_there_first_is_before():
    late = [Solve(1, 1, START), Solve(1, 2, START + timedelta(hours=2))]
    early = [Solve(2, 2, START + timedelta(minutes=1)), Solve(2, 1, START + timedelta(hours=1))]
    assert [row.account_id for row in standings(late + early, POINTS)] == [2, 1]


def test_a_flag_without_points_does_not_cost_a_rank():
    first = [Solve(1, 1, START), Solve(1, 3, START + timedelta(hours=5))]
    second = [Solve(2, 1, START + timedelta(hours=1))]
    assert [row.account_id for row in standings(first + second, POINTS)] == [1, 2]
