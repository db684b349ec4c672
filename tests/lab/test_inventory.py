"""What is kept of providers: pages are made from it, so that none waits for a hypervisor."""

import time

import pytest

from chatsubo.domain.sessions import State
from chatsubo.domain.text import Text
from chatsubo.live.bus import ADMINS, EVERYONE, Event
from chatsubo.providers.base import Check, Finding
from chatsubo.providers.exc import AccessRefused
from chatsubo.store.database import Database
from chatsubo.store.pictures import Picture, list_pictures, save_picture
from chatsubo.testing import FakeHypervisor, FakeProvider, FakeTemplate
from tests.lab.world import WITHIN, World, anything


async def test_a_picture_shows_what_a_provider_has(world: World) -> None:
    world.hypervisor.plant("hello", "wz01")
    world.hypervisor.malform("broken")
    session = await world.run()

    picture = await world.picture(lambda one: len(one.instances) == 2)

    [template] = picture.templates
    assert (template.name, template.title, template.dynamic) == ("hello", "Hello", True)
    assert [(flag.name, flag.value, flag.points) for flag in template.flags] == [("root", "", 250), ("user", "", 100)]
    classic, own = sorted(picture.instances, key=lambda one: one.session or "")
    assert (own.session, own.address, own.flags, own.creds) == (session.id, session.address, (), ())
    assert (classic.session, classic.realm, classic.running) == (None, "wz01", True)
    assert [one.username for one in classic.creds] == ["level0"]
    assert [(one.name, str(one.reason)) for one in picture.rejected] == [("broken", "expected true or false")]
    assert picture.problem is None
    assert picture.seen_at is not None
    assert picture.took is not None


async def test_a_provider_that_is_looked_at_on_demand_looks_at_everything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[str] = []
    monkeypatch.setattr(FakeProvider, "forget", lambda provider: forgotten.append(provider.name))
    world.lab.refresh("fake")
    world.lab.refresh("no such provider")
    assert forgotten == ["fake"]


async def test_a_start_does_not_wait_for_a_provider_that_hangs(idle: World) -> None:
    hanging = FakeHypervisor()
    for step in ("check", "list_templates", "list_instances"):
        hanging.hang(step)
    idle.equip({"fake": FakeProvider("fake", idle.hypervisor), "stuck": FakeProvider("stuck", hanging)})
    began = time.monotonic()

    await idle.lab.start()
    await idle.picture(lambda one: one.seen_at is not None)
    await idle.run()

    assert time.monotonic() - began < WITHIN
    async with idle.db.read() as tx:
        stuck = {one.provider: one for one in await list_pictures(tx)}["stuck"]
    assert (stuck.seen_at, stuck.templates, stuck.realms) == (None, (), ("wz01",))
    assert idle.lab.health() == {}


async def test_a_provider_that_goes_away_keeps_its_last_good_picture_with_the_problem(world: World) -> None:
    good = await world.picture(lambda one: one.seen_at is not None)
    with world.bus.subscribe([EVERYONE]) as everyone:
        world.hypervisor.away()
        away = await world.picture(lambda one: one.problem is not None)
        assert await everyone.next(WITHIN) == Event("boxes")

        world.hypervisor.back()
        again = await world.picture(lambda one: one.problem is None)
        assert await everyone.next(WITHIN) == Event("boxes")

    assert away.templates == good.templates
    assert str(away.problem) == "The machine's host does not answer at the moment."
    assert "connection refused" in (away.problem_detail or "")
    assert away.problem_since == world.clock()
    assert again.templates == good.templates


async def test_what_a_check_says_of_its_provider_is_kept_as_it_is_said(idle: World) -> None:
    class Unreachable(FakeProvider):
        async def check(self) -> Check:
            return Check(False, True, (Finding(True, Text("fine")), Finding(False, Text("fake/fake: no such socket"))))

    idle.equip({"fake": Unreachable("fake", idle.hypervisor)})
    await idle.lab.start()

    away = await idle.picture(lambda one: one.problem is not None)
    assert away.problem_detail == "fake/fake: no such socket"


async def test_a_provider_that_comes_back_is_checked_again(world: World) -> None:
    await world.picture(lambda one: one.seen_at is not None)
    world.hypervisor.refuse()
    refused = await world.picture(lambda one: one.problem is not None)
    world.hypervisor.is_dynamic = False
    world.hypervisor.back()

    back = await world.picture(lambda one: one.problem is None)

    assert str(refused.problem) == AccessRefused.message
    assert back.is_dynamic is False


async def test_what_did_not_change_is_not_told(world: World) -> None:
    await world.picture(lambda one: one.seen_at is not None)
    with world.bus.subscribe([ADMINS, EVERYONE]) as news:
        for _ in range(3):
            await world.looked_at()
        world.hypervisor.templates["new"] = FakeTemplate("new")

        told = {(await news.next(WITHIN)).name for _ in range(2)}  # type: ignore[union-attr]

    assert told == {"provider", "boxes"}
    picture = await world.picture(anything)
    assert [one.name for one in picture.templates] == ["hello", "new"]


async def test_players_are_not_told_of_other_players_machines(world: World) -> None:
    await world.picture(lambda one: one.seen_at is not None)
    with world.bus.subscribe([EVERYONE]) as everyone:
        session = await world.run()
        await world.picture(lambda one: len(one.instances) == 1)
        await world.stop(session.id)
        await world.reaches(session.id, State.STOPPED)
        await world.picture(lambda one: one.instances == ())
        world.hypervisor.plant("hello", "wz01")
        await world.picture(lambda one: len(one.instances) == 1)

        assert await everyone.next(WITHIN) == Event("boxes")
        assert everyone._queue.empty()


async def test_a_provider_that_is_not_configured_any_more_is_forgotten(idle: World) -> None:
    async with idle.db.write() as tx:
        await save_picture(tx, Picture(provider="old", kind="fake", is_dynamic=True, realms=("wz01",)))

    await idle.lab.start()

    async with idle.db.read() as tx:
        assert [one.provider for one in await list_pictures(tx)] == ["fake"]


async def test_a_restart_shows_the_last_picture_until_there_is_a_new_one(embedded: Database) -> None:
    first = World(embedded)
    await first.lab.start()
    seen = await first.picture(lambda one: one.seen_at is not None)
    await first.lab.aclose()
    first.hypervisor.hang("check")
    first.equip({"fake": FakeProvider("fake", first.hypervisor, realms=("wz01", "wz02"))})

    await first.lab.start()

    shown = await first.picture(anything)
    assert (shown.templates, shown.seen_at) == (seen.templates, seen.seen_at)
    assert shown.realms == ("wz01", "wz02")
    await first.lab.aclose()
