"""Boxes as organisers write them."""

import asyncio
from datetime import timedelta

import pytest
from msgspec import structs

from chatsubo.domain.errors import Invalid, NotFound
from chatsubo.domain.sessions import Verb
from chatsubo.game import snapshot
from chatsubo.game.snapshot import CATALOGUE
from chatsubo.game.views import FlagForm
from chatsubo.live.bus import ADMINS, Event, account_topic
from chatsubo.store.sessions import get_session, live_sessions
from chatsubo.store.settings import read_setting
from chatsubo.store.tables import sessions
from tests.game.world import World

HOUR = timedelta(hours=1)


async def test_a_templates_form_is_prefilled_from_its_labels(world: World) -> None:
    admin = await world.admin()
    view = await world.game.desk.template(admin, "hello")
    form = view.form
    assert (form.name, form.os, form.difficulty, form.duration) == ("Hello", "Linux", 2, 30)
    assert form.new_track == "Basics"
    assert [(flag.name, flag.dynamic, flag.mark) for flag in form.flags] == [
        ("fixed", False, None),
        ("user", True, "user"),
    ]
    assert view.missing == ()
    bare = await world.game.desk.template(admin, "shared")
    assert set(bare.missing) == {"name", "description", "os", "track", "difficulty", "duration"}


async def test_all_mistakes_of_a_form_are_told_at_once(world: World) -> None:
    admin = await world.admin()
    form = (await world.game.desk.template(admin, "hello")).form
    wrong = structs.replace(
        form,
        template="gone",
        name=" ",
        os="BeOS",
        difficulty=11,
        duration=0,
        new_track="",
        flags=(FlagForm(name="a", value=""), FlagForm(name="A", dynamic=True, points=-1, mark="king")),
    )
    with pytest.raises(Invalid) as told:
        await world.game.box_admin.register(admin, wrong)
    assert {problem.field for problem in told.value.problems} == {
        "template",
        "name",
        "os",
        "difficulty",
        "duration",
        "track",
        "flags.0.name",
        "flags.0.value",
        "flags.1.name",
        "flags.1.points",
        "flags.1.mark",
    }


async def test_a_flag_that_is_renamed_keeps_its_solves_and_one_that_is_left_out_loses_its_points(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin)
    case = await world.player("case")
    await world.game.submissions.submit(case, "FLAG{fixed}")
    form = await world.game.box_admin.form(admin, slug)
    swapped = tuple(
        structs.replace(flag, name={"user": "fixed", "fixed": "user"}[flag.name], points=75) for flag in form.flags
    )
    await world.game.box_admin.edit(admin, slug, structs.replace(form, flags=swapped))
    assert (await world.game.catalogue.me(case)).score == 75
    await world.game.box_admin.edit(admin, slug, structs.replace(form, flags=form.flags[1:]))
    assert (await world.game.catalogue.me(case)).score == 0
    await world.game.box_admin.edit(admin, slug, form)
    assert (await world.game.catalogue.me(case)).score == 50


async def test_a_deleted_box_takes_its_points_along_and_brings_them_back(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin)
    case = await world.player("case")
    await world.game.submissions.submit(case, "FLAG{fixed}")
    await world.game.box_admin.delete(admin, slug)
    assert (await world.game.catalogue.me(case)).score == 0
    assert await world.game.catalogue.boxes(case) == []
    assert [card.deleted for card in await world.game.catalogue.boxes(admin, everything=True)] == [True]
    await world.game.box_admin.restore(admin, slug)
    assert (await world.game.catalogue.me(case)).score == 50
    await world.game.box_admin.retire(admin, slug)
    assert (await world.game.catalogue.me(case)).score == 50
    assert await world.game.catalogue.boxes(case) == []
    await world.game.box_admin.release(admin, slug)
    assert [card.slug for card in await world.game.catalogue.boxes(case)] == [slug]


async def test_two_boxes_of_one_name_have_addresses_of_their_own(world: World) -> None:
    admin = await world.admin()
    assert [await world.release(admin), await world.release(admin)] == ["hello", "hello-2"]


async def test_a_profile_shows_what_was_found(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    await world.game.submissions.submit(case, "FLAG{fixed}")
    world.game.snapshots.forget()
    profile = await world.game.people.profile(case, "CASE")
    assert [(solve.box_slug, solve.flag, solve.points) for solve in profile.solves] == [(slug, "fixed", 50)]
    assert [card.username for card in await world.game.people.accounts(case, "cA")] == ["case"]
    (track,) = await world.game.catalogue.tracks(case)
    assert (track.slug, track.boxes, track.flags, track.found) == ("basics", 1, 2, 1)


async def test_a_track_is_unknown_to_players_until_a_box_of_it_is_released(world: World) -> None:
    admin = await world.admin()
    form = (await world.game.desk.template(admin, "hello")).form
    slug = await world.game.box_admin.register(admin, structs.replace(form, track="", new_track="Secret finals"))

    with pytest.raises(NotFound):
        await world.game.scoreboard.standings("secret-finals")
    await world.game.box_admin.release(admin, slug)
    assert (await world.game.scoreboard.standings("secret-finals")).flags == 2
    await world.game.box_admin.retire(admin, slug)
    assert (await world.game.scoreboard.standings("secret-finals")).flags == 2


@pytest.mark.parametrize("act", ["retire", "delete"])
async def test_a_box_that_is_taken_out_of_play_takes_its_machines_along(world: World, act: str) -> None:
    admin = await world.admin()
    slug, other = await world.release(admin), await world.release(admin, name="Other")
    case, molly, armitage = [await world.player(name) for name in ("case", "molly", "armitage")]
    running = await world.run(case, slug)
    queued = (await world.game.play.start(molly, slug)).id
    elsewhere = await world.run(armitage, other)
    world.woken.clear()

    topics = (ADMINS, account_topic(case.account_id))
    with world.bus.subscribe(topics) as heard, world.bus.subscribe([account_topic(armitage.account_id)]) as unheard:
        await getattr(world.game.box_admin, act)(admin, slug)
        told = [await heard.next(5) for _ in range(4)]
        # Both were asked for at one moment, so either may be the first to be stopped.
        assert sorted(one.name for one in told if one) == ["desk", "desk", "notice", "session"]
        assert Event("session", {"session": running, "box": 1, "state": "stopping"}) in told
        assert Event("desk", {"session": queued, "box": 1, "state": "stopped"}) in told
        with pytest.raises(TimeoutError):
            await unheard.next(0)

    async with world.db.read() as tx:
        states = [(one.state, one.verb) for one in [await get_session(tx, id_) for id_ in (running, queued)] if one]
        assert states == [("stopping", Verb.STOP), ("stopped", None)]
        assert [one.id for one in await live_sessions(tx, armitage.account_id)] == [elsewhere]
    assert world.woken
    for owner in (case, molly):
        (notice,) = await world.game.notices.recent(owner)
        assert str(notice.text) == "Hello was taken out of play, and your machine of it is gone."
        assert notice.kind == "bad"
    assert await world.game.notices.recent(armitage) == []


async def test_a_machine_that_its_player_is_stopping_already_is_not_told_of(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin)
    case = await world.player("case")
    await world.run(case, slug)
    await world.game.play.stop(case, slug)
    await world.game.box_admin.retire(admin, slug)
    assert await world.game.notices.recent(case) == []


async def test_no_machine_is_left_of_a_box_that_is_retired_while_players_start_it(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin)
    players = [await world.player(f"player{number}") for number in range(8)]
    starts = [world.game.play.start(player, slug) for player in players]
    *outcomes, _ = await asyncio.gather(*starts, world.game.box_admin.retire(admin, slug), return_exceptions=True)
    assert all(not isinstance(one, BaseException) or isinstance(one, NotFound) for one in outcomes)
    async with world.db.read() as tx:
        assert await live_sessions(tx) == ()


async def test_the_desk_counts_the_flags_that_count(world: World) -> None:
    admin = await world.admin()
    slug, other = await world.release(admin), await world.release(admin, name="Other")
    case = await world.player("case")
    for box in (slug, other):
        await world.game.submissions.submit(case, "FLAG{fixed}", box)
    assert (await world.game.desk.overview(admin)).solves == 2
    await world.game.box_admin.delete(admin, other)
    assert (await world.game.desk.overview(admin)).solves == 1
    form = await world.game.box_admin.form(admin, slug)
    await world.game.box_admin.edit(
        admin, slug, structs.replace(form, flags=[one for one in form.flags if one.name != "fixed"])
    )
    assert (await world.game.desk.overview(admin)).solves == 0


async def test_a_box_tells_its_tracks_name(world: World) -> None:
    await world.release(await world.admin(), track="", new_track="Web & Wires")
    (card,) = await world.game.catalogue.boxes(await world.player("case"))
    assert (card.track, card.track_name) == ("web-wires", "Web & Wires")


async def test_a_new_flag_may_have_the_name_that_another_one_had(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin)
    case = await world.player("case")
    await world.game.submissions.submit(case, "FLAG{fixed}")
    form = await world.game.box_admin.form(admin, slug)
    fixed = next(flag for flag in form.flags if flag.name == "fixed")
    flags = (structs.replace(fixed, name="older"), FlagForm(name="fixed", value="FLAG{newer}", points=5))
    for written in (flags, flags[::-1]):
        await world.game.box_admin.edit(admin, slug, structs.replace(form, flags=written))
        kept = {flag.name: flag for flag in (await world.game.box_admin.form(admin, slug)).flags}
        assert {name: flag.value for name, flag in kept.items()} == {"older": "FLAG{fixed}", "fixed": "FLAG{newer}"}
        assert kept["older"].id == fixed.id
        assert (await world.game.catalogue.me(case)).score == 50


async def test_a_flag_may_take_the_name_of_one_that_was_deleted(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin)
    form = await world.game.box_admin.form(admin, slug)
    [kept] = [flag for flag in form.flags if flag.name == "user"]
    await world.game.box_admin.edit(admin, slug, structs.replace(form, flags=(kept,)))
    renamed = structs.replace(form, flags=(structs.replace(kept, name="fixed"),))
    await world.game.box_admin.edit(admin, slug, renamed)
    assert await world.game.box_admin.form(admin, slug) == structs.replace(renamed, new_track="")


async def test_a_box_whose_machine_all_share_cannot_have_flags_of_a_start(world: World) -> None:
    admin = await world.admin()
    dynamic = FlagForm(name="root", dynamic=True)
    with pytest.raises(Invalid):
        await world.release(admin, "shared", flags=(dynamic,))
    slug = await world.release(admin, "shared")
    form = await world.game.box_admin.form(admin, slug)
    with pytest.raises(Invalid):
        await world.game.box_admin.edit(admin, slug, structs.replace(form, flags=(dynamic,)))


async def test_boxes_that_are_registered_at_once_each_have_an_address_and_one_new_track(world: World) -> None:
    admin = await world.admin()
    form = (await world.game.desk.template(admin, "hello")).form
    slugs = await asyncio.gather(*(world.game.box_admin.register(admin, form) for _ in range(8)))
    assert len(set(slugs)) == 8
    assert len({card.track for card in await world.game.catalogue.boxes(admin, everything=True)}) == 1


async def test_of_two_changes_at_once_neither_is_taken_for_the_other(world: World) -> None:
    """Were both to leave one version behind, the snapshot made between them would stay."""
    admin = await world.admin()
    slug = await world.release(admin)
    async with world.db.write() as tx:
        await snapshot.outdate(tx)
        version = await read_setting(tx, CATALOGUE)
        retiring = asyncio.create_task(world.game.box_admin.retire(admin, slug))
        await world.someone_waits()
    await retiring
    async with world.db.read() as tx:
        assert await read_setting(tx, CATALOGUE) != version


async def test_a_box_is_retired_while_somebody_else_holds_its_sessions_by_their_ids(world: World) -> None:
    admin = await world.admin()
    slug = await world.release(admin)
    players = [await world.player(name) for name in ("case", "molly")]
    first, second = sorted([await world.run(player, slug) for player in players])
    async with world.db.write() as tx:
        await tx.execute(sessions.update().where(sessions.c.id == second).values(created_at=world.clock() - HOUR))
    async with world.db.write() as tx:
        await get_session(tx, first, lock=True)
        retiring = asyncio.create_task(world.game.box_admin.retire(admin, slug))
        await world.someone_waits()
        await get_session(tx, second, lock=True)
    await retiring
