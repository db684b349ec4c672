"""Machines that all players share: who may ask for a reset, and who is told what."""

import asyncio

import pytest
from msgspec import structs

from chatsubo.domain.errors import AskedLately, Forbidden, NotFound, NothingAnnounced, NothingShared
from chatsubo.game import Actor
from chatsubo.game.views import ResetView
from chatsubo.live.bus import EVERYONE
from chatsubo.store.listings import get_listing
from tests.game.world import World


@pytest.fixture
async def admin(world: World) -> Actor:
    return await world.admin()


@pytest.fixture
async def vault(world: World, admin: Actor) -> str:
    """A released box with one shared machine."""
    return await world.release(admin, "shared")


async def reset_of(world: World, actor: Actor, slug: str) -> ResetView | None:
    return (await world.game.catalogue.box(actor, slug)).shared[0].reset


async def told(world: World, actor: Actor) -> list[str]:
    return [str(notice.text) for notice in await world.game.notices.recent(actor)]


async def test_a_player_asks_for_a_reset_and_everyone_is_told_five_minutes_before(world: World, vault: str) -> None:
    case, molly = await world.player("case"), await world.player("molly")
    with world.bus.subscribe([EVERYONE]) as news:
        await world.game.shared.ask_reset(case, vault)
        events = [await news.next(within=60) for _ in range(2)]
    assert {event.name for event in events if event} == {"boxes", "notice"}
    assert await told(world, molly) == [
        "shared in wz01 will be brought back to its initial state in 5 min. case asked for it."
    ]
    reset = await reset_of(world, molly, vault)
    assert reset is not None
    assert (reset.state, reset.asked_by) == ("announced", "case")
    assert (reset.due_at - world.clock()).total_seconds() == 300
    assert world.woken


async def test_who_asks_for_what_is_announced_already_asks_for_nothing_and_may_ask_another_time(
    world: World, vault: str
) -> None:
    case, molly = await world.player("case"), await world.player("molly")
    await asyncio.gather(*(world.game.shared.ask_reset(one, vault) for one in (case, molly, case, molly)))
    assert len(await told(world, case)) == 1
    views = [await world.game.catalogue.box(one, vault) for one in (case, molly)]
    assert [view.reset_from is None for view in views].count(True) == 1


async def test_a_player_asks_once_in_thirty_minutes_and_an_organiser_whenever(
    world: World, admin: Actor, vault: str
) -> None:
    case = await world.player("case")
    await world.game.shared.ask_reset(case, vault)
    await world.game.shared.call_off_reset(admin, vault)
    world.clock.move(minutes=29)
    with pytest.raises(AskedLately) as raised:
        await world.game.shared.ask_reset(case, vault)
    assert raised.value.retry_after == 60
    assert str(raised.value.text) == "You asked for a reset not long ago. You may ask again in 1 min."
    for _ in range(2):
        await world.game.shared.ask_reset(admin, vault)
        await world.game.shared.call_off_reset(admin, vault)
    world.clock.move(minutes=1)
    await world.game.shared.ask_reset(case, vault)


async def test_an_organiser_has_it_done_at_once_also_what_was_announced(world: World, admin: Actor, vault: str) -> None:
    case = await world.player("case")
    with pytest.raises(Forbidden):
        await world.game.shared.ask_reset(case, vault, at_once=True)
    await world.game.shared.ask_reset(case, vault)
    await world.game.shared.ask_reset(admin, vault, at_once=True)
    reset = await reset_of(world, case, vault)
    assert reset is not None
    assert (reset.due_at, reset.asked_by) == (world.clock(), "case")
    assert len(await told(world, case)) == 1


async def test_what_was_called_off_is_told_and_can_be_asked_for_anew(world: World, admin: Actor, vault: str) -> None:
    case, molly = await world.player("case"), await world.player("molly")
    with pytest.raises(NothingAnnounced):
        await world.game.shared.call_off_reset(admin, vault)
    await world.game.shared.ask_reset(case, vault)
    with pytest.raises(Forbidden):
        await world.game.shared.call_off_reset(case, vault)
    await world.game.shared.call_off_reset(admin, vault)
    assert (await told(world, molly))[0] == "The reset of shared in wz01 was called off."
    assert await reset_of(world, molly, vault) is None
    await world.game.shared.ask_reset(molly, vault)


async def test_only_the_machines_of_a_realm_are_reset_when_one_is_named(world: World, vault: str, admin: Actor) -> None:
    case = await world.player("case")
    async with world.db.read() as tx:
        listing = await get_listing(tx, "lab")
    assert listing is not None
    (there,) = listing.instances
    world.clock.move(seconds=1)
    await world.offer(realms=("wz01", "wz02"), instances=(there, structs.replace(there, id="2", realm="wz02")))
    with pytest.raises(NothingShared):
        await world.game.shared.ask_reset(case, vault, "wz03")
    await world.game.shared.ask_reset(case, vault, "wz02")
    shared = {one.realm: one.reset for one in (await world.game.catalogue.box(case, vault)).shared}
    assert shared["wz01"] is None
    assert shared["wz02"] is not None
    await world.game.shared.ask_reset(admin, vault)
    assert all(one.reset for one in (await world.game.catalogue.box(case, vault)).shared)


async def test_the_same_machine_of_another_provider_in_the_realm_is_not_shown_as_reset(
    world: World, admin: Actor, vault: str
) -> None:
    async with world.db.read() as tx:
        listing = await get_listing(tx, "lab")
    assert listing is not None
    await world.game.shared.ask_reset(admin, vault)
    (there,) = listing.instances
    world.clock.move(seconds=1)
    await world.offer(provider="lab2", instances=(structs.replace(there, address="10.0.0.6"),))
    shared = {one.address: one.reset for one in (await world.game.catalogue.box(admin, vault)).shared}
    assert shared["10.0.0.5"] is not None
    assert shared["10.0.0.6"] is None


async def test_of_a_box_that_players_do_not_see_the_organiser_is_told_alone(
    world: World, admin: Actor, vault: str
) -> None:
    case = await world.player("case")
    await world.game.box_admin.retire(admin, vault)
    with pytest.raises(NotFound):
        await world.game.shared.ask_reset(case, vault)
    await world.game.shared.ask_reset(admin, vault)
    assert await told(world, case) == []
    assert len(await told(world, admin)) == 1


async def test_a_box_without_a_shared_machine_is_not_reset(world: World, admin: Actor) -> None:
    dynamic = await world.release(admin, "hello")
    with pytest.raises(NothingShared):
        await world.game.shared.ask_reset(admin, dynamic)


async def test_a_draft_of_the_same_machine_speaks_of_the_box_that_players_know(
    world: World, admin: Actor, vault: str
) -> None:
    case = await world.player("case")
    draft = await world.release(admin, "shared", name="Secret sequel")
    await world.game.box_admin.retire(admin, draft)
    await world.game.shared.ask_reset(admin, draft)
    assert await told(world, case) == [
        "shared in wz01 will be brought back to its initial state in 5 min. finn asked for it."
    ]
    assert await reset_of(world, case, vault) is not None
    assert await reset_of(world, admin, draft) is not None
