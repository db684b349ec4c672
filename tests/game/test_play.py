"""Starting, stopping and extending one's own machines."""

import asyncio

import pytest

from chatsubo.domain.errors import (
    AlreadyRunning,
    ChatsuboError,
    ExtensionsUsedUp,
    NotFound,
    NothingRunning,
    NotStartable,
    TooManyRunning,
)
from chatsubo.domain.sessions import State
from chatsubo.domain.text import Text
from chatsubo.game import desk
from chatsubo.live.bus import ADMINS, account_topic
from tests.game.world import World


async def test_a_start_is_queued_and_the_lab_is_woken(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    view = await world.game.play.start(case, slug)
    assert (view.state, view.position, view.realm) == ("queued", 1, "wz01")
    assert world.woken
    assert await world.game.play.session(case, slug) == view


async def test_a_start_is_told_to_its_player_and_to_the_desk_at_once(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    with world.bus.subscribe([account_topic(case.account_id)]) as player, world.bus.subscribe([ADMINS]) as desk:
        await world.game.play.start(case, slug)
        for listener, name in ((player, "session"), (desk, "desk")):
            event = await listener.next(within=60)
            assert event is not None
            assert (event.name, event.data["state"]) == (name, "queued")


async def test_of_two_starts_at_once_one_goes_through(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    outcomes = await asyncio.gather(*(world.game.play.start(case, slug) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(one, AlreadyRunning) for one in outcomes) == 7
    assert len(await world.game.play.sessions(case)) == 1


async def test_a_players_quota_holds_whatever_races(world: World) -> None:
    admin = await world.admin()
    slugs = [await world.release(admin, name=f"Box {number}") for number in range(6)]
    case = await world.player("case")
    outcomes = await asyncio.gather(*(world.game.play.start(case, slug) for slug in slugs), return_exceptions=True)
    assert sum(isinstance(one, TooManyRunning) for one in outcomes) == 3
    assert len(await world.game.play.sessions(case)) == 3


async def test_a_queued_session_that_is_stopped_is_gone_at_once(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    await world.game.play.start(case, slug)
    assert (await world.game.play.stop(case, slug)).state == "stopped"
    assert await world.game.play.session(case, slug) is None
    await world.game.play.start(case, slug)


async def test_nobody_stops_or_sees_somebody_elses_machine(world: World) -> None:
    slug = await world.release(await world.admin())
    case, molly = await world.player("case"), await world.player("molly")
    await world.run(case, slug)
    for act in (world.game.play.stop, world.game.play.reset, world.game.play.extend):
        with pytest.raises(NothingRunning):
            await act(molly, slug)
    assert await world.game.play.session(molly, slug) is None
    assert (await world.game.catalogue.box(molly, slug)).session is None


async def test_a_running_machine_is_extended_four_times_at_most(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    await world.run(case, slug)
    first = await world.game.play.session(case, slug)
    assert first is not None
    ends = [(await world.game.play.extend(case, slug)).expires_at for _ in range(4)]
    assert ends == sorted(ends)  # type: ignore[type-var]
    with pytest.raises(ExtensionsUsedUp):
        await world.game.play.extend(case, slug)


async def test_a_box_that_no_provider_offers_says_so_and_is_not_started(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    world.clock.move(seconds=1)
    await world.offer(templates=())
    with pytest.raises(NotStartable):
        await world.game.play.start(case, slug)
    page = await world.game.catalogue.box(case, slug)
    assert page.problem is not None
    assert not page.card.available


async def test_a_provider_that_is_away_is_told_with_its_reason_and_since_when(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    since = world.clock()
    await world.offer(problem=Text("The machine's host does not answer at the moment."), problem_since=since)
    page = await world.game.catalogue.box(case, slug)
    assert (str(page.problem), page.problem_since) == ("The machine's host does not answer at the moment.", since)


async def test_a_shared_machine_is_shown_to_all_and_started_by_nobody(world: World) -> None:
    slug = await world.release(await world.admin(), "shared")
    case = await world.player("case")
    (machine,) = (await world.game.catalogue.box(case, slug)).shared
    assert machine.address == "10.0.0.5"
    with pytest.raises(NotStartable):
        await world.game.play.start(case, slug)


async def test_a_box_that_is_not_released_is_there_for_organisers_alone(world: World) -> None:
    admin = await world.admin()
    form = (await world.game.desk.template(admin, "hello")).form
    slug = await world.game.box_admin.register(admin, form)
    case = await world.player("case")
    for act in (world.game.play.start, world.game.catalogue.box, world.game.play.session):
        with pytest.raises(NotFound):
            await act(case, slug)
    assert await world.game.catalogue.boxes(case) == []
    assert (await world.game.catalogue.box(admin, slug)).card.name == "Hello"


async def test_organisers_acts_are_refused_to_players(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    game = world.game
    acts = [
        game.desk.overview(case),
        game.desk.templates(case),
        game.desk.sessions(case),
        game.desk.session(case, "x"),
        game.desk.log(case, "x"),
        game.desk.stop_session(case, "x"),
        game.desk.submissions(case),
        game.box_admin.form(case, slug),
        game.box_admin.release(case, slug),
        game.box_admin.retire(case, slug),
        game.box_admin.delete(case, slug),
        game.box_admin.restore(case, slug),
        game.catalogue.boxes(case, everything=True),
        game.notices.announce(case, "hi"),
        game.home.set_content(case, "hi"),
    ]
    for act in acts:
        with pytest.raises(ChatsuboError) as told:
            await act
        assert told.value.code == "forbidden"


async def test_a_machine_that_is_being_stopped_does_not_count_against_the_quota(world: World) -> None:
    admin = await world.admin()
    slugs = [await world.release(admin, name=f"Box {number}") for number in range(4)]
    case = await world.player("case")
    for slug in slugs[:3]:
        await world.run(case, slug)
    with pytest.raises(TooManyRunning):
        await world.game.play.start(case, slugs[3])
    assert (await world.game.play.stop(case, slugs[0])).state == "stopping"
    await world.game.play.start(case, slugs[3])


async def test_a_provider_whose_trouble_changes_is_told_anew(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    since = world.clock()
    for problem in ("It does not answer.", "It refuses the platform."):
        await world.offer(problem=Text(problem), problem_detail=problem, problem_since=since)
        assert str((await world.game.catalogue.box(case, slug)).problem) == problem


async def test_a_failure_stays_on_the_desk_however_many_machines_end_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "RECENT", 2)
    admin, case = await world.admin(), await world.player("case")
    slug = await world.release(admin)
    failed = await world.run(case, slug)
    await world.end(failed, State.FAILED)
    for _ in range(3):
        world.clock.move(minutes=5)
        await world.end(await world.run(case, slug))
    overview = await world.game.desk.overview(admin)
    assert [one.id for one in overview.failed] == [failed]
    assert overview.running == ()
