"""Players who connect to gates that are kept, and those who are cut off."""

import pytest

from chatsubo.game import Actor
from chatsubo.game.vpn import CutOff, Vpn
from chatsubo.gates import Access, Gates, Memory
from chatsubo.live.bus import ADMINS, Event, account_topic
from chatsubo.store.gate_reports import GateReport, save_gate_report
from tests.game.gates import BY_NEWS_ALONE, LONG, ONE, SHARED, TWO, kept, until
from tests.game.world import World
from tests.unit.gates.gate import FakeGate, Network, gate

# Who is connected


async def test_a_player_sees_the_connection_come_and_go(
    world: World, network: Network, fake: FakeGate, case: Actor
) -> None:
    molly = await world.player("molly")
    async with kept(world, network, ONE) as here:
        for one in (case, molly):
            await here.vpn.access(one, "wz01")

        async def told() -> None:
            while await hers.next(LONG) != Event("vpn"):
                pass

        async def gone() -> bool:
            return (await here.status(case)).connected is False

        with world.bus.subscribe([account_topic(case.account_id)]) as hers:
            fake.lines["case"] = world.clock().timestamp() - 60
            await told()
            await until(lambda: here.connected(case))
            del fake.lines["case"]
            await told()
            await until(gone)

        assert (await here.status(molly)).connected is False


async def test_a_connection_began_when_the_gate_says_but_never_in_the_future(
    world: World, network: Network, fake: FakeGate, case: Actor
) -> None:
    now = world.clock()
    async with kept(world, network, ONE) as here:
        await here.vpn.access(case, "wz01")
        fake.lines["case"] = now.timestamp() + 3600
        await until(lambda: here.connected(case))
        assert (await here.status(case)).since == now

        world.clock.move(minutes=5)
        fake.lines["case"] = now.timestamp() + 120

        async def again() -> bool:
            since = (await here.status(case)).since
            return since is not None and (since - now).total_seconds() == 120

        await until(again)


async def test_organisers_see_who_is_connected_and_who_is_no_player(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    fake.players, fake.lines = ["x" * 200], {"x" * 200: 5.0}
    async with kept(world, network, ONE) as here:
        await world.player("ann")
        await here.vpn.access(await world.player("zoe"), "wz01")
        await here.vpn.access(case, "wz01")
        fake.lines["zoe"] = 6.0

        async def seen() -> bool:
            one = (await here.views(admin))["one"]
            return (one.online, one.free) == (2, 97)

        await until(seen)
        view = (await here.views(admin))["one"]

    assert [(one.username, one.connected, one.received, one.sent, one.addresses) for one in view.players] == [
        ("zoe", True, 2, 3, ("10.13.37.2",)),
        ("case", False, 0, 0, ()),
    ]
    assert view.strangers == ("x" * 200,)
    assert (view.kind, view.enforces, view.places) == ("wireguard", True, 100)


async def test_organisers_are_told_of_a_gate_that_goes(
    world: World, network: Network, case: Actor, admin: Actor
) -> None:
    async with kept(world, network, ONE) as here:
        await here.vpn.access(case, "wz01")
        await until(lambda: here.well(case))
        with world.bus.subscribe([ADMINS]) as news:
            del network.gates["one.example"]
            await until(lambda: here.away(case))
            assert await news.next(LONG) == Event("gates")


async def test_of_several_gates_a_player_is_shown_the_one_with_a_place(
    world: World, network: Network, case: Actor
) -> None:
    async with world.db.write() as tx:
        for one, kind, free in ((ONE, "wireguard", 0), (TWO, "openvpn", 5)):
            await save_gate_report(tx, GateReport(url=one.url, kind=kind, enforces=True, free=free))

    async with Gates([ONE, TWO], network.client()) as gates:
        (way,) = await Vpn(world.db, world.clock, gates).status(case)

    assert (way.kind, way.full) == ("openvpn", False)


async def test_a_player_is_told_that_the_way_in_is_another_one(
    world: World, network: Network, admin: Actor, case: Actor
) -> None:
    async with kept(world, network, ONE) as here:
        with world.bus.subscribe([account_topic(case.account_id)]) as hers:
            await here.vpn.access(case, "wz01")
            assert await hers.next(LONG) == Event("vpn")
            await here.vpn.access(case, "wz01")
            await here.vpn.cut_off(admin, case.account_id, "wz01")
            assert await hers.next(LONG) == Event("vpn")


# Cutting off


async def test_who_is_cut_off_loses_the_access_and_gets_another_when_let_in(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    await world.release(admin, "shared")
    async with kept(world, network, ONE, pace=BY_NEWS_ALONE) as here:
        old = await here.vpn.access(case, "wz01")
        await until(lambda: fake.reach("case") == {SHARED})

        await here.vpn.cut_off(admin, case.account_id, "wz01")
        await until(lambda: fake.players == [] and fake.reach("case") == set())

        async def forgotten() -> bool:
            return not (await here.views(admin))["one"].players[0].given

        await until(forgotten)
        await here.vpn.let_in(admin, case.account_id, "wz01")
        assert not (await here.status(case)).given
        assert (await here.vpn.access(case, "wz01")).config != old.config
        await until(lambda: fake.reach("case") == {SHARED})


async def test_who_is_cut_off_while_the_gate_is_away_is_revoked_when_it_comes_back(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    async with kept(world, network, ONE) as here:
        await here.vpn.access(case, "wz01")
        del network.gates["one.example"]
        await until(lambda: here.away(case))

        await here.vpn.cut_off(admin, case.account_id, "wz01")
        network.gates["one.example"] = fake

        await until(lambda: fake.players == [])


async def test_who_is_cut_off_from_one_of_a_gates_realms_keeps_the_access_for_the_other(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    await world.release(admin, "shared")
    async with kept(world, network, ONE, gate("one.example", "wz02")) as here:
        for realm in ("wz01", "wz02"):
            await here.vpn.access(case, realm)
        await until(lambda: fake.reach("case") == {SHARED})

        await here.vpn.cut_off(admin, case.account_id, "wz01")
        await until(lambda: fake.reach("case") == set())
        assert fake.players == ["case"]

        await here.vpn.cut_off(admin, case.account_id, "wz02")
        await until(lambda: fake.players == [])


async def test_a_configuration_that_is_made_while_the_player_is_cut_off_is_not_handed_out(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    async with kept(world, network, ONE) as here:
        await here.vpn.access(case, "wz01")

        class Slow(Gates):
            async def access(self, realm: str, gate_name: str, memory: Memory) -> Access:
                await here.vpn.cut_off(admin, case.account_id, "wz01")
                await until(lambda: fake.players == [])
                return await here.gates.access(realm, gate_name, memory)

        async with Slow([ONE], network.client()) as slow:
            vpn = Vpn(world.db, world.clock, slow, here.keeping.wake)
            with pytest.raises(CutOff):
                await vpn.access(case, "wz01")

        await until(lambda: fake.players == [])
