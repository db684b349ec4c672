"""Accounts that organisers ban, and let in again."""

import asyncio

import pytest

from chatsubo.domain.errors import BadCredentials, Banned, ChatsuboError, Forbidden, Invalid, NotFound, OwnBan
from chatsubo.domain.sessions import State
from chatsubo.game import Actor, Role
from chatsubo.game import account_admin as rooms
from chatsubo.live.bus import account_topic
from chatsubo.live.news import LOGIN
from chatsubo.store.accounts import lock_account, set_ban
from chatsubo.store.sessions import live_sessions
from chatsubo.store.submissions import recent_submissions
from tests.game.gates import BY_NEWS_ALONE, ONE, SHARED, kept, until
from tests.game.world import CLIENT, PASSWORD, World
from tests.unit.gates.gate import FakeGate, Network

WHY = "Attacked the platform."


async def ban(world: World, admin: Actor, *actors: Actor) -> None:
    for actor in actors:
        await world.game.account_admin.ban(admin, actor.account_id, WHY)


async def lift(world: World, admin: Actor, actor: Actor) -> None:
    await world.game.account_admin.lift_ban(admin, actor.account_id)


async def states(world: World, actor: Actor) -> list[State]:
    async with world.db.read() as tx:
        return [one.state for one in await live_sessions(tx, actor.account_id)]


async def ranking(world: World) -> list[str]:
    return [row.username for row in (await world.game.scoreboard.standings()).rows]


async def second_organiser(world: World) -> Actor:
    account = await world.game.accounts.create("julius", PASSWORD, Role.ADMIN)
    return Actor(account.id, account.username, Role.ADMIN)


async def test_a_ban_ends_all_logins_and_lets_nobody_log_in(world: World, admin: Actor) -> None:
    case, first = await world.game.accounts.register("case", PASSWORD, client=CLIENT)
    _, second = await world.game.accounts.login("case", PASSWORD, client=CLIENT)

    with world.bus.subscribe((account_topic(case.account_id),)) as news:
        await ban(world, admin, case)
        assert await news.next(0) == LOGIN

    assert [await world.game.accounts.authenticate(token) for token in (first, second)] == [None, None]
    with pytest.raises(Banned) as told:
        await world.game.accounts.login("case", PASSWORD, client=CLIENT)
    assert WHY in str(told.value)


async def test_only_who_knows_the_password_is_told_of_the_ban(world: World, admin: Actor, case: Actor) -> None:
    await ban(world, admin, case)

    with pytest.raises(BadCredentials):
        await world.game.accounts.login("case", "not the password", client=CLIENT)


async def test_a_ban_stops_what_runs_and_what_waits(world: World, admin: Actor, case: Actor) -> None:
    running, waiting = await world.release(admin), await world.release(admin, name="Again")
    await world.run(case, running)
    await world.game.play.start(case, waiting)
    woken = len(world.woken)

    await ban(world, admin, case)

    assert await states(world, case) == [State.STOPPING]
    assert len(world.woken) > woken


@pytest.mark.parametrize("act", ["start", "stop", "reset", "extend", "submit", "submit a wrong one", "shared"])
async def test_who_is_banned_while_a_request_is_under_way_does_nothing_with_it(
    world: World, admin: Actor, case: Actor, act: str
) -> None:
    """The actor was found before the ban came: what is looked at is the account itself, in the same transaction."""
    slug, shared = await world.release(admin), await world.release(admin, "shared", name="Shared")
    if act in {"stop", "reset", "extend"}:
        await world.run(case, slug)
    game = world.game
    acts = {
        "start": lambda: game.play.start(case, slug),
        "stop": lambda: game.play.stop(case, slug),
        "reset": lambda: game.play.reset(case, slug),
        "extend": lambda: game.play.extend(case, slug),
        "submit": lambda: game.submissions.submit(case, "FLAG{fixed}"),
        "submit a wrong one": lambda: game.submissions.submit(case, "FLAG{wrong}"),
        "shared": lambda: game.shared.ask_reset(case, shared),
    }
    before = await states(world, case)
    async with world.db.write() as tx:
        await lock_account(tx, case.account_id)
        acting = asyncio.create_task(acts[act]())
        await world.someone_waits()
        await set_ban(tx, case.account_id, at=world.clock(), reason=WHY)

    with pytest.raises(Banned):
        await acting
    assert await states(world, case) == before
    async with world.db.read() as tx:
        assert await recent_submissions(tx, limit=10) == []


async def test_a_start_that_races_with_a_ban_leaves_no_machine(world: World, admin: Actor, case: Actor) -> None:
    slugs = [await world.release(admin, name=f"Box {number}") for number in range(3)]

    starts = [world.game.play.start(case, slug) for slug in slugs]
    done = await asyncio.gather(*starts, ban(world, admin, case), return_exceptions=True)

    assert all(one is None or not isinstance(one, BaseException) or isinstance(one, Banned) for one in done)
    assert await states(world, case) == []


async def test_the_banned_are_out_of_the_standings_until_they_are_let_in_again(
    world: World, admin: Actor, case: Actor
) -> None:
    slug = await world.release(admin, "shared")
    molly = await world.player("molly")
    for actor in (case, molly):
        await world.game.submissions.submit(actor, "FLAG{shared}")
        world.clock.move(minutes=1)
    world.game.snapshots.forget()
    assert (await world.game.catalogue.box(molly, slug)).card.first_blood == "case"

    await ban(world, admin, case)

    assert await ranking(world) == ["molly"]
    view = await world.game.catalogue.box(molly, slug)
    assert view.card.first_blood == "molly"
    assert [flag.finders for flag in view.flags] == [1]
    assert "case" not in {one.username for one in await world.game.people.accounts(molly)}
    with pytest.raises(NotFound):
        await world.game.people.profile(molly, "case")
    assert (await world.game.people.profile(admin, "case")).account.banned

    await lift(world, admin, case)

    assert await ranking(world) == ["case", "molly"]
    assert (await world.game.catalogue.box(molly, slug)).card.first_blood == "case"
    assert (await world.game.accounts.login("case", PASSWORD, client=CLIENT))[0] == case


async def test_who_finishes_a_box_after_the_banned_alone_has_its_first_blood(
    world: World, admin: Actor, case: Actor
) -> None:
    await world.release(admin, "shared")
    await world.game.submissions.submit(case, "FLAG{shared}")
    await ban(world, admin, case)

    verdict = await world.game.submissions.submit(await world.player("molly"), "FLAG{shared}")

    assert verdict.first_blood


async def test_nobody_bans_themselves(world: World, admin: Actor) -> None:
    with pytest.raises(OwnBan):
        await ban(world, admin, admin)


async def test_of_two_organisers_who_ban_each_other_at_once_one_is_left(world: World, admin: Actor) -> None:
    other = await second_organiser(world)

    done = await asyncio.gather(ban(world, admin, other), ban(world, other, admin), return_exceptions=True)

    assert [type(one) for one in done if one is not None] == [Banned]
    assert (await world.game.account_admin.accounts(admin, only="banned")).total == 1


@pytest.mark.parametrize("reason", ["", " \n", "x" * (rooms.MAX_REASON + 1)])
async def test_a_ban_has_a_reason_of_some_length(world: World, admin: Actor, case: Actor, reason: str) -> None:
    with pytest.raises(Invalid) as told:
        await world.game.account_admin.ban(admin, case.account_id, reason)
    assert told.value.problems[0].field == "reason"


async def test_a_ban_is_for_accounts_that_there_are_and_organisers_alone(
    world: World, admin: Actor, case: Actor
) -> None:
    bans = world.game.account_admin
    for act in (bans.ban(case, admin.account_id, WHY), bans.lift_ban(case, admin.account_id), bans.accounts(case)):
        with pytest.raises(Forbidden):
            await act
    for missing in (bans.ban(admin, 999, WHY), bans.lift_ban(admin, 999)):
        with pytest.raises(NotFound):
            await missing


async def test_a_second_ban_changes_the_reason_and_keeps_the_moment(world: World, admin: Actor, case: Actor) -> None:
    await ban(world, admin, case)
    at = world.clock()
    world.clock.move(hours=1)

    await world.game.account_admin.ban(admin, case.account_id, "Worse:\nsee the log")

    (row,) = (await world.game.account_admin.accounts(admin, only="banned")).accounts
    assert (row.banned_at, row.ban_reason) == (at, "Worse: see the log")


async def test_accounts_are_listed_by_name_in_pages_and_found_by_a_part_of_it(
    world: World, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "PAGE", 2)
    for name in ("molly", "Case", "1_0", "maelcum"):
        await world.player(name)

    async def names(**query: object) -> list[str]:
        page = await world.game.account_admin.accounts(admin, **query)  # type: ignore[arg-type]
        return [one.username for one in page.accounts]

    assert [await names(page=page) for page in (1, 2, 3, 4)] == [["1_0", "Case"], ["finn", "maelcum"], ["molly"], []]
    assert await names(search=" CAS ") == ["Case"]
    assert await names(search="_") == ["1_0"]
    assert await names(search="m", only="active") == ["maelcum", "molly"]
    assert (await world.game.account_admin.accounts(admin)).pages == 3


async def test_an_account_says_when_it_was_last_there(world: World, admin: Actor) -> None:
    _, token = await world.game.accounts.register("case", PASSWORD, client=CLIENT)
    world.clock.move(minutes=5)
    await world.game.accounts.authenticate(token)
    await world.game.accounts.logout(token)

    seen = {one.username: one.seen_at for one in (await world.game.account_admin.accounts(admin)).accounts}

    assert seen == {"case": world.clock(), "finn": None}


async def test_the_banned_reach_nothing_and_all_again_afterwards(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    await world.release(admin, "shared")
    async with kept(world, network, ONE, pace=BY_NEWS_ALONE) as here:
        await here.vpn.access(case, "wz01")
        await until(lambda: fake.reach("case") == {SHARED})

        await ban(world, admin, case)
        await until(lambda: fake.reach("case") == set())
        with pytest.raises(Banned):
            await here.vpn.access(case, "wz01")

        await lift(world, admin, case)
        await until(lambda: fake.reach("case") == {SHARED})


async def test_bans_of_five_at_once_by_two_organisers_all_hold(world: World, admin: Actor) -> None:
    other = await second_organiser(world)
    players = [await world.player(f"player-{number}") for number in range(5)]
    slug = await world.release(admin)
    for player in players:
        await world.run(player, slug)

    done = await asyncio.gather(
        *(ban(world, by, player) for player in players for by in (admin, other)), return_exceptions=True
    )

    assert not [one for one in done if isinstance(one, ChatsuboError)]
    assert [await states(world, player) for player in players] == [[State.STOPPING]] * 5
