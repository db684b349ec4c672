"""Submitting flags."""

import asyncio
from typing import NoReturn

import pytest
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from chatsubo.domain.errors import Invalid, NotFound, RateLimited, Unavailable
from chatsubo.domain.labels import Flag
from chatsubo.domain.scoring import Solve
from chatsubo.game import snapshot
from chatsubo.game.views import FlagForm
from chatsubo.live.bus import EVERYONE
from chatsubo.store.submissions import all_solves
from tests.game.world import World

OWN = Flag("user", "WZ{own}", 100)


async def test_a_right_flag_scores_and_is_on_the_standings(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    verdict = await world.game.submissions.submit(case, " FLAG{fixed}\n", slug)
    assert (verdict.verdict, verdict.flag, verdict.points) == ("correct", "fixed", 50)
    world.game.snapshots.forget()
    (row,) = (await world.game.scoreboard.standings()).rows
    assert (row.rank, row.username, row.score, row.found) == (1, "case", 50, 1)


async def test_of_fifty_right_submissions_at_once_one_scores(world: World) -> None:
    slug = await world.release(await world.admin())
    players = [await world.player(f"player{number}") for number in range(2)]
    world.game.submissions._limiter = _Unlimited()  # type: ignore[assignment]
    verdicts = await asyncio.gather(
        *(world.game.submissions.submit(player, "FLAG{fixed}", slug) for player in players for _ in range(50))
    )
    assert sorted(one.verdict for one in verdicts) == ["correct"] * 2 + ["repeated"] * 98
    world.game.snapshots.forget()
    assert [row.score for row in (await world.game.scoreboard.standings()).rows] == [50, 50]


class _Unlimited:
    async def spend(self, limit: object, who: object) -> None:
        """Let everything pass."""


async def test_a_dynamic_flag_counts_for_the_player_whose_session_gave_it(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    await world.run(case, slug, OWN)
    verdict = await world.game.submissions.submit(case, OWN.value)
    assert (verdict.verdict, verdict.box_slug, verdict.flag) == ("correct", slug, "user")


async def test_another_players_flag_is_refused_like_a_wrong_one_and_recorded_as_shared(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin)
    case, molly = await world.player("case"), await world.player("molly")
    await world.run(case, slug, OWN)
    shared = await world.game.submissions.submit(molly, OWN.value, slug)
    wrong = await world.game.submissions.submit(molly, "WZ{no such}", slug)
    assert shared == wrong
    (case_of_it,) = (await world.game.desk.overview(admin)).shared
    assert (case_of_it.username, case_of_it.shared_by, case_of_it.value) == ("molly", "case", OWN.value)


async def test_a_value_that_was_shared_is_recognised_in_another_case_too(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin)
    form = await world.game.box_admin.form(admin, slug)
    lenient = tuple(structs.replace(flag, case_insensitive=True) for flag in form.flags)
    await world.game.box_admin.edit(admin, slug, structs.replace(form, flags=lenient))
    case, molly = await world.player("case"), await world.player("molly")
    await world.run(case, slug, OWN)
    await world.game.submissions.submit(molly, OWN.value.upper(), slug)
    (case_of_it,) = (await world.game.desk.overview(admin)).shared
    assert (case_of_it.username, case_of_it.shared_by) == ("molly", "case")


async def test_a_flag_of_two_boxes_counts_for_the_one_that_is_played_else_for_one_after_the_other(
    world: World,
) -> None:
    admin = await world.admin()
    slugs = [await world.release(admin, name=name) for name in ("first", "second", "third")]
    case, molly = await world.player("case"), await world.player("molly")
    verdicts = [await world.game.submissions.submit(case, "FLAG{fixed}") for _ in range(4)]
    assert [one.box_slug for one in verdicts[:3]] == slugs
    assert [one.verdict for one in verdicts] == ["correct"] * 3 + ["repeated"]
    await world.run(molly, slugs[1])
    verdicts = [await world.game.submissions.submit(molly, "FLAG{fixed}") for _ in range(2)]
    assert [(one.box_slug, one.verdict) for one in verdicts] == [(slugs[1], "correct"), (slugs[1], "repeated")]
    named = await world.game.submissions.submit(molly, "FLAG{fixed}", slugs[2])
    assert (named.box_slug, named.verdict) == (slugs[2], "correct")


async def test_an_ended_sessions_values_count_for_ten_more_minutes(world: World) -> None:
    slug = await world.release(await world.admin())
    case, molly = await world.player("case"), await world.player("molly")
    for player, minutes, expected in ((case, 9, "correct"), (molly, 11, "wrong")):
        flag = Flag("user", f"WZ{{{player.username}}}", 100)
        session = await world.run(player, slug, flag)
        await world.end(session)
        world.clock.move(minutes=minutes)
        assert (await world.game.submissions.submit(player, flag.value, slug)).verdict == expected


async def test_case_counts_unless_the_flag_says_otherwise(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin)
    case = await world.player("case")
    assert (await world.game.submissions.submit(case, "flag{FIXED}")).verdict == "wrong"
    form = await world.game.box_admin.form(admin, slug)
    lenient = tuple(structs.replace(flag, case_insensitive=True) for flag in form.flags)
    await world.game.box_admin.edit(admin, slug, structs.replace(form, flags=lenient))
    assert (await world.game.submissions.submit(case, "flag{FIXED}")).verdict == "correct"


async def test_the_first_who_takes_every_flag_of_a_box_is_told_to_all(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin, "shared")
    case, molly = await world.player("case"), await world.player("molly")
    verdict = await world.game.submissions.submit(case, "FLAG{shared}")
    assert (verdict.box_done, verdict.first_blood) == (True, True)
    second = await world.game.submissions.submit(molly, "FLAG{shared}")
    assert (second.box_done, second.first_blood) == (True, False)
    (notice,) = await world.game.notices.recent(molly)
    assert str(notice.text) == "First blood: case has taken all flags of shared."
    world.game.snapshots.forget()
    assert (await world.game.catalogue.box(molly, slug)).card.first_blood == "case"


async def test_flags_of_boxes_that_are_not_played_are_wrong(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin)
    case = await world.player("case")
    await world.game.box_admin.retire(admin, slug)
    assert (await world.game.submissions.submit(case, "FLAG{fixed}")).verdict == "wrong"
    with pytest.raises(NotFound):
        await world.game.submissions.submit(case, "FLAG{fixed}", slug)


@pytest.mark.parametrize("bad", ["", "  ", "A" * 1_000_000, "FLAG{\0}", "\ud800"])
async def test_what_cannot_be_a_flag_is_told_and_not_kept(world: World, bad: str) -> None:
    admin = await world.admin()
    case = await world.player("case")
    with pytest.raises(Invalid):
        await world.game.submissions.submit(case, bad)
    assert await world.game.desk.submissions(admin) == []


async def test_guessing_is_slowed_down_for_the_account_that_guesses_alone(world: World) -> None:
    await world.release(await world.admin())
    case, molly = await world.player("case"), await world.player("molly")
    for number in range(30):
        await world.game.submissions.submit(case, f"FLAG{{{number}}}")
    with pytest.raises(RateLimited):
        await world.game.submissions.submit(case, "FLAG{fixed}")
    assert (await world.game.submissions.submit(molly, "FLAG{fixed}")).verdict == "correct"


async def test_a_box_that_is_retired_while_a_snapshot_is_made_takes_no_flag_any_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.admin()
    slug = await world.release(admin)
    case = await world.player("case")
    reading, retired = asyncio.Event(), asyncio.Event()

    async def slowly(tx: AsyncConnection) -> list[Solve]:
        reading.set()
        await retired.wait()
        return await all_solves(tx)

    monkeypatch.setattr(snapshot, "all_solves", slowly)
    making = asyncio.create_task(world.game.snapshots.current())
    await reading.wait()
    await world.game.box_admin.retire(admin, slug)
    retired.set()
    await making

    with pytest.raises(NotFound):
        await world.game.submissions.submit(case, "FLAG{fixed}", slug)


async def test_of_all_who_finish_a_box_at_once_one_is_told_of_as_the_first(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin, flags=(FlagForm(name="only", value="FLAG{fixed}", points=50),))
    players = [await world.player(f"player{number}") for number in range(8)]
    await world.game.snapshots.current()

    verdicts = await asyncio.gather(*(world.game.submissions.submit(player, "FLAG{fixed}", slug) for player in players))

    assert sum(one.first_blood for one in verdicts) == 1
    assert len(await world.game.notices.recent(admin)) == 1


async def test_the_last_flag_of_a_volley_is_told_to_everyone(world: World) -> None:
    slug = await world.release(await world.admin())
    players = [await world.player(f"player{number}") for number in range(4)]
    with world.bus.subscribe([EVERYONE]) as news:
        for player in players:
            await world.game.submissions.submit(player, "FLAG{fixed}", slug)
            await asyncio.sleep(0)
        told: set[object] = set()
        standings = await world.game.scoreboard.standings()
        while len(standings.rows) < 4 or standings.version not in told:
            event = await news.next(within=30)
            assert event is not None
            told.add(event.data.get("version"))
            standings = await world.game.scoreboard.standings()


async def test_standings_that_could_not_be_read_are_told_once_they_can(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> NoReturn:
        monkeypatch.undo()
        raise Unavailable

    monkeypatch.setattr(world.db, "read", away)
    with world.bus.subscribe([EVERYONE]) as news, capture_logs() as log:
        world.game.snapshots.changed()
        event = await news.next(within=30)
    assert event is not None
    assert event.name == "standings"
    assert [line["event"] for line in log] == ["snapshot.failed"]


async def test_a_game_that_is_closed_leaves_nothing_running_on_its_database(world: World) -> None:
    slug = await world.release(await world.admin())
    before = asyncio.all_tasks()
    await world.game.submissions.submit(await world.player("case"), "FLAG{fixed}", slug)
    assert asyncio.all_tasks() > before
    await world.game.aclose()
    assert asyncio.all_tasks() == before
