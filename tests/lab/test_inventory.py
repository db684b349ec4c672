"""What is kept of providers: pages are made from it, so that none waits for a hypervisor."""

import asyncio
from typing import Any

import pytest

from chatsubo.domain.sessions import State
from chatsubo.domain.text import Text
from chatsubo.live.bus import ADMINS, EVERYONE, Event
from chatsubo.providers.base import BaseInstance, Check, Endpoint, Finding, Listing
from chatsubo.providers.exc import AccessRefused
from chatsubo.store.database import Database
from chatsubo.store.listings import ProviderListing, all_listings, save_listing
from chatsubo.testing import FakeHypervisor, FakeProvider, FakeTemplate
from tests.lab.world import WITHIN, World, anything


async def test_a_listing_shows_what_a_provider_has(world: World) -> None:
    world.hypervisor.plant("hello", "wz01")
    world.hypervisor.malform("broken")
    session = await world.run()

    listing = await world.listing(lambda one: len(one.instances) == 2)

    [template] = listing.templates
    assert (template.name, template.title, template.dynamic) == ("hello", "Hello", True)
    assert [(flag.name, flag.value, flag.points) for flag in template.flags] == [("root", "", 250), ("user", "", 100)]
    classic, own = sorted(listing.instances, key=lambda one: one.session or "")
    assert (own.session, own.address, own.flags, own.creds) == (session.id, session.address, (), ())
    assert (classic.session, classic.realm, classic.running) == (None, "wz01", True)
    assert [one.username for one in classic.creds] == ["level0"]
    assert [(one.name, str(one.reason)) for one in listing.rejected] == [("broken", "expected true or false")]
    assert listing.problem is None
    assert listing.seen_at is not None
    assert listing.took is not None


class CarelessProvider(FakeProvider):
    """Takes over what its hypervisor's JSON says, whatever its type, and drops what it never kept."""

    def forget(self) -> None:
        raise KeyError("kept")

    async def check(self) -> Check:
        return Check(reachable=True, is_dynamic=None)  # type: ignore[arg-type]

    async def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:  # noqa: ARG002
        port: Any = "22"
        ssh = BaseInstance("7", "mail", "wz01", "mail", "10.0.0.1", endpoints=[Endpoint("ssh", "10.0.0.1", port)])
        return Listing([ssh, BaseInstance("8", "web", "wz01", "web", "10.0.0.2")])


async def test_what_one_plugin_lists_wrongly_spoils_no_other_listing(idle: World) -> None:
    careless = CarelessProvider("careless", FakeHypervisor())
    careless.is_dynamic = None  # type: ignore[assignment]
    idle.equip({"careless": careless, "fake": FakeProvider("fake", idle.hypervisor)})

    await idle.lab.start()
    idle.lab.refresh("careless")

    seen = await idle.listing(lambda one: one.seen_at is not None, "careless")
    assert [one.name for one in seen.instances] == ["web"]
    assert [(one.name, str(one.reason)) for one in seen.rejected] == [
        ("mail", "what its plugin says of it cannot be used: Expected `int`, got `str` - at `$.endpoints[0].port`")
    ]
    async with idle.db.read() as tx:
        assert [one.provider for one in await all_listings(tx)] == ["careless", "fake"]


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

    async with asyncio.timeout(WITHIN):  # a call that hangs may take ten times as long
        await idle.lab.start()
        await idle.listing(lambda one: one.seen_at is not None)
        await idle.run()

    async with idle.db.read() as tx:
        stuck = {one.provider: one for one in await all_listings(tx)}["stuck"]
    assert (stuck.seen_at, stuck.templates, stuck.realms) == (None, (), ("wz01",))
    assert idle.lab.health() == {}


async def test_a_provider_that_goes_away_keeps_its_last_good_listing_with_the_problem(world: World) -> None:
    good = await world.listing(lambda one: one.seen_at is not None)
    with world.bus.subscribe([EVERYONE]) as everyone:
        world.hypervisor.away()
        away = await world.listing(lambda one: one.problem is not None)
        assert await everyone.next(WITHIN) == Event("boxes")

        world.hypervisor.back()
        again = await world.listing(lambda one: one.problem is None)
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

    away = await idle.listing(lambda one: one.problem is not None)
    assert away.problem_detail == "fake/fake: no such socket"


async def test_a_provider_that_comes_back_is_checked_again(world: World) -> None:
    await world.listing(lambda one: one.seen_at is not None)
    world.hypervisor.refuse()
    refused = await world.listing(lambda one: one.problem is not None)
    world.hypervisor.is_dynamic = False
    world.hypervisor.back()

    back = await world.listing(lambda one: one.problem is None)

    assert str(refused.problem) == AccessRefused.message
    assert back.is_dynamic is False


async def test_a_provider_that_lacked_something_starts_machines_once_it_is_there(idle: World) -> None:
    idle.hypervisor.is_dynamic = False
    await idle.lab.start()
    await idle.listing(lambda one: one.seen_at is not None and not one.is_dynamic)

    idle.hypervisor.is_dynamic = True
    assert (await idle.listing(lambda one: one.is_dynamic)).problem is None


async def test_what_did_not_change_is_not_told(idle: World) -> None:
    with idle.bus.subscribe([ADMINS, EVERYONE]) as news:
        await idle.lab.start()
        first = {(await news.next(WITHIN)).name for _ in range(2)}  # type: ignore[union-attr]
        for _ in range(3):
            await idle.looked_at()
        idle.hypervisor.templates["new"] = FakeTemplate("new")

        told = {(await news.next(WITHIN)).name for _ in range(2)}  # type: ignore[union-attr]

    assert first == told == {"provider", "boxes"}
    listing = await idle.listing(anything)
    assert [one.name for one in listing.templates] == ["hello", "new"]


async def test_players_are_not_told_of_other_players_machines(idle: World) -> None:
    with idle.bus.subscribe([EVERYONE]) as everyone:
        await idle.lab.start()
        assert await everyone.next(WITHIN) == Event("boxes")  # what there is at the beginning
        session = await idle.run()
        await idle.listing(lambda one: len(one.instances) == 1)
        await idle.stop(session.id)
        await idle.reaches(session.id, State.STOPPED)
        await idle.listing(lambda one: one.instances == ())
        idle.hypervisor.plant("hello", "wz01")
        await idle.listing(lambda one: len(one.instances) == 1)

        assert await everyone.next(WITHIN) == Event("boxes")
        assert everyone._queue.empty()


async def test_a_provider_that_is_not_configured_any_more_is_forgotten(idle: World) -> None:
    async with idle.db.write() as tx:
        await save_listing(tx, ProviderListing(provider="old", kind="fake", is_dynamic=True, realms=("wz01",)))

    await idle.lab.start()

    async with idle.db.read() as tx:
        assert [one.provider for one in await all_listings(tx)] == ["fake"]


async def test_a_restart_shows_the_last_listing_until_there_is_a_new_one(embedded: Database) -> None:
    first = World(embedded)
    await first.lab.start()
    seen = await first.listing(lambda one: one.seen_at is not None)
    await first.lab.aclose()
    first.hypervisor.hang("check")
    first.equip({"fake": FakeProvider("fake", first.hypervisor, realms=("wz01", "wz02"))})

    await first.lab.start()

    shown = await first.listing(anything)
    assert (shown.templates, shown.seen_at) == (seen.templates, seen.seen_at)
    assert shown.realms == ("wz01", "wz02")
    await first.lab.aclose()
