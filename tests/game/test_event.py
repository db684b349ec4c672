"""When players play: from the start of the event until its end."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chatsubo.domain.errors import EventOver, Forbidden, Invalid, NotFound, NotOpenYet
from chatsubo.domain.sessions import State
from chatsubo.game import Actor
from chatsubo.store.submissions import recent_submissions
from tests.game.gates import ONE, SHARED, kept, until
from tests.game.world import World
from tests.unit.gates.gate import FakeGate, Network

When = Callable[[World, Actor], Awaitable[None]]

HOUR = timedelta(hours=1)


async def before(world: World, admin: Actor) -> None:
    """Let the event begin in an hour."""
    await world.game.event.set_window(admin, world.clock() + HOUR, world.clock() + 2 * HOUR)


async def over(world: World, admin: Actor) -> None:
    """Let the event have ended this moment."""
    await world.game.event.set_window(admin, world.clock() - HOUR, world.clock())


async def test_without_a_window_the_game_is_always_open(world: World) -> None:
    view = await world.game.event.view()
    assert (view.opens_at, view.closes_at, view.phase) == (None, None, "open")


async def test_moments_are_kept_in_utc_and_can_be_taken_back(world: World, admin: Actor) -> None:
    there = timezone(timedelta(hours=9, minutes=30))
    await world.game.event.set_window(admin, datetime(2026, 11, 28, 9, 30, tzinfo=there), None)
    view = await world.game.event.view()
    assert (view.opens_at, view.closes_at, view.phase) == (datetime(2026, 11, 28, 0, tzinfo=UTC), None, "before")
    assert view.opens_at is not None
    assert view.opens_at.utcoffset() == timedelta(0)

    await world.game.event.set_window(admin, None, None)
    assert (await world.game.event.view()).phase == "open"


@pytest.mark.parametrize("after", [timedelta(0), -HOUR])
async def test_the_end_comes_after_the_start(world: World, admin: Actor, after: timedelta) -> None:
    with pytest.raises(Invalid) as told:
        await world.game.event.set_window(admin, world.clock(), world.clock() + after)
    assert told.value.problems[0].field == "closes_at"


async def test_a_moment_beyond_all_calendars_is_told_so(world: World, admin: Actor) -> None:
    with pytest.raises(Invalid):
        await world.game.event.set_window(admin, datetime.max.replace(tzinfo=timezone(-HOUR)), None)


async def test_players_set_no_window(world: World, case: Actor) -> None:
    with pytest.raises(Forbidden):
        await world.game.event.set_window(case, None, None)


@pytest.mark.parametrize("act", ["start", "reset", "extend", "submit", "submit a wrong one", "shared", "any box"])
@pytest.mark.parametrize(("when", "refusal"), [(before, NotOpenYet), (over, EventOver)])
async def test_outside_of_it_players_do_nothing(
    world: World, admin: Actor, case: Actor, *, act: str, when: When, refusal: type[Exception]
) -> None:
    slug, shared = await world.release(admin), await world.release(admin, "shared", name="Shared")
    if act in {"reset", "extend"}:
        await world.run(case, slug)
    await when(world, admin)
    game = world.game
    acts = {
        "start": lambda: game.play.start(case, slug),
        "reset": lambda: game.play.reset(case, slug),
        "extend": lambda: game.play.extend(case, slug),
        "submit": lambda: game.submissions.submit(case, "FLAG{fixed}", slug),
        "submit a wrong one": lambda: game.submissions.submit(case, "FLAG{wrong}"),
        "shared": lambda: game.shared.ask_reset(case, shared),
        "any box": lambda: game.submissions.submit(case, "FLAG{fixed}"),
    }
    with pytest.raises(refusal):
        await acts[act]()
    async with world.db.read() as tx:
        assert await recent_submissions(tx, limit=10) == []


@pytest.mark.parametrize("when", [before, over])
async def test_organisers_go_on(world: World, admin: Actor, when: When) -> None:
    slug = await world.release(admin)
    await when(world, admin)
    assert (await world.game.play.start(admin, slug)).state == "queued"
    assert (await world.game.submissions.submit(admin, "FLAG{fixed}")).verdict == "correct"
    assert [one.slug for one in await world.game.catalogue.boxes(admin)] == [slug]
    assert not (await world.game.catalogue.box(admin, slug)).over


async def test_before_it_nothing_tells_players_which_boxes_there_are(world: World, admin: Actor, case: Actor) -> None:
    slug = await world.release(admin)
    await world.game.submissions.submit(case, "FLAG{fixed}")
    await before(world, admin)

    game = world.game
    assert await game.catalogue.boxes(case) == []
    assert await game.catalogue.tracks(case) == []
    assert (await game.people.profile(case, "case")).solves == ()
    for name in (slug, "no-such-box"):
        for asked in (
            game.catalogue.box(case, name),
            game.play.session(case, name),
            game.play.start(case, name),
            game.play.stop(case, name),
            game.submissions.submit(case, "FLAG{x}", name),
            game.shared.ask_reset(case, name),
        ):
            with pytest.raises(NotOpenYet):
                await asked

    world.clock.move(hours=1)
    game.snapshots.forget()
    assert [one.slug for one in await game.catalogue.boxes(case)] == [slug]
    assert len((await game.people.profile(case, "case")).solves) == 1
    with pytest.raises(NotFound):
        await game.catalogue.box(case, "no-such-box")


async def test_after_it_boxes_and_standings_are_there_and_machines_can_be_stopped(
    world: World, admin: Actor, case: Actor
) -> None:
    slug = await world.release(admin)
    await world.run(case, slug)
    await world.game.submissions.submit(case, "FLAG{fixed}")
    await over(world, admin)

    assert (await world.game.catalogue.box(case, slug)).over
    world.game.snapshots.forget()
    assert [row.username for row in (await world.game.scoreboard.standings()).rows] == ["case"]
    assert (await world.game.play.stop(case, slug)).state == State.STOPPING


async def test_gates_let_players_in_when_it_begins_and_out_when_it_ends_without_any_news(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    await world.release(admin, "shared")
    async with kept(world, network, ONE) as here:
        for actor in (case, admin):
            await here.vpn.access(actor, "wz01")
        await until(lambda: fake.reach("case") == {SHARED})

        await before(world, admin)
        await until(lambda: fake.reach("case") == set())
        assert fake.reach("finn") == {SHARED}

        world.clock.move(hours=1)
        await until(lambda: fake.reach("case") == {SHARED})

        world.clock.move(hours=1)
        await until(lambda: fake.reach("case") == set())
        assert fake.reach("finn") == {SHARED}
