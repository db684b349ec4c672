"""The gates are told who may reach what, whatever happens, and the database knows how they are."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from chatsubo.domain.sessions import State
from chatsubo.game import Actor
from chatsubo.gate.api import application
from chatsubo.live.bus import ADMINS, Bus
from chatsubo.live.news import News
from chatsubo.store.tables import sessions
from tests.game.gates import BY_NEWS_ALONE, ONE, SHARED, TWO, kept, until
from tests.game.world import World
from tests.unit.gate.fakes import ONLINE, Bench
from tests.unit.gates.gate import FakeGate, Network, gate

MACHINE = "10.0.0.9"


async def change(world: World, session_id: str, account: Actor, **columns: Any) -> None:
    """Change a session as the lab does, and tell the news."""
    if columns:
        async with world.db.write() as tx:
            await tx.execute(update(sessions).where(sessions.c.id == session_id).values(**columns))
    News(world.bus).session(session_id, account.account_id, 1, "whatever")


# The picture follows the game


async def test_a_machine_can_be_reached_from_its_start_to_its_stop(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    slug = await world.release(admin)
    async with kept(world, network, ONE, pace=BY_NEWS_ALONE) as here:
        await here.vpn.access(case, "wz01")
        session = await world.run(case, slug)
        await change(world, session, case)
        await until(lambda: fake.reach("case") == {MACHINE})

        await change(world, session, case, address="10.0.0.77")
        await until(lambda: fake.reach("case") == {"10.0.0.77"})

        await change(world, session, case, state=State.STOPPING)  # by the player, an organiser, or the end of its time
        await until(lambda: fake.reach("case") == set())


async def test_shared_machines_can_be_reached_while_their_box_is_played(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    async with kept(world, network, ONE, pace=BY_NEWS_ALONE) as here:
        await here.vpn.access(case, "wz01")

        slug = await world.release(admin, "shared")
        await until(lambda: fake.reach("case") == {SHARED})

        await world.game.box_admin.retire(admin, slug)
        await until(lambda: fake.reach("case") == set())


async def test_who_is_given_an_access_reaches_what_there_is_at_once(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    await world.release(admin, "shared")
    async with kept(world, network, ONE, pace=BY_NEWS_ALONE) as here:
        await until(lambda: fake.version > 0)

        await here.vpn.access(case, "wz01")

        await until(lambda: fake.reach("case") == {SHARED})


async def test_what_another_process_changes_is_found(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    slug = await world.release(admin)
    async with kept(world, network, ONE, bus=Bus()) as here:
        await here.vpn.access(case, "wz01")

        await world.run(case, slug)
        await until(lambda: fake.reach("case") == {MACHINE})

        await world.game.box_admin.delete(admin, slug)
        async with world.db.write() as tx:
            await tx.execute(update(sessions).values(state=State.STOPPING))
        await until(lambda: fake.reach("case") == set())


async def test_a_gate_that_holds_the_present_picture_is_not_told_again(
    world: World, network: Network, fake: FakeGate, admin: Actor
) -> None:
    await world.release(admin)
    async with kept(world, network, ONE):
        await until(lambda: len(fake.shown) == 1)
        looks = len(fake.asked)
        await until(lambda: len(fake.asked) > looks + 10)

    async with kept(world, network, ONE):  # the next process
        looks = len(fake.asked)
        await until(lambda: len(fake.asked) > looks + 10)

    # At its start a process does not know what became of the last call of the one before it.
    assert len(fake.shown) <= 2


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path / "gate", subnet="10.66.0.0/24")
    await made.gate.start()
    yield made
    made.state.close()


async def test_the_real_gate_lets_through_what_the_picture_says(
    world: World, bench: Bench, admin: Actor, case: Actor
) -> None:
    slug = await world.release(admin)
    network = Network({"one.example": application(bench.gate, bench.config.auth_token)})
    async with kept(world, network, gate("one.example", token=bench.config.auth_token.reveal())) as here:
        await here.vpn.access(case, "wz01")
        session = await world.run(case, slug)
        await until(lambda: bench.rules.reach() == {("10.66.0.2", MACHINE)})

        bench.tunnel.connected[bench.uid("case")] = ONLINE
        await bench.gate.look()
        await until(lambda: here.connected(case))

        await world.end(session)
        await until(lambda: bench.rules.reach() == set())


# Gates come and go


async def test_a_gate_that_lost_its_memory_is_told_everything_again(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    await world.release(admin, "shared")
    async with kept(world, network, ONE) as here:
        await here.vpn.access(case, "wz01")
        await until(lambda: fake.reach("case") == {SHARED})

        fake.version, fake.picture = 0, {}

        await until(lambda: fake.reach("case") == {SHARED})


async def test_a_gate_that_holds_a_newer_picture_is_given_a_newer_one_yet(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    await world.release(admin, "shared")
    fake.version, fake.picture = 1000, {"molly": {"two_way": ["10.9.9.9"]}}
    async with kept(world, network, ONE) as here:
        await here.vpn.access(case, "wz01")
        await until(lambda: fake.reach("case") == {SHARED})
        assert fake.version > 1000

        fake.version, fake.picture = 5000, {}
        await until(lambda: fake.reach("case") == {SHARED})
        assert fake.version > 5000


async def test_a_gate_that_came_back_is_told_what_it_missed(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    await world.release(admin, "shared")
    async with kept(world, network, ONE) as here:
        await here.vpn.access(case, "wz01")
        await until(lambda: fake.reach("case") == {SHARED})

        del network.gates["one.example"]
        await until(lambda: here.away(case))
        slug = await world.release(admin)
        await world.run(case, slug)
        network.gates["one.example"] = fake

        await until(lambda: fake.reach("case") == {SHARED, MACHINE})
        await until(lambda: here.well(case))


@pytest.mark.parametrize(
    ("trouble", "problem"),
    [
        ({"hangs": True}, "no answer within"),
        ({"broken": (500, b"")}, "status 500"),
        ({"broken": (401, b"")}, "refuses our token"),
        ({"errors": ["the VPN server is away"]}, "the VPN server is away"),
    ],
    ids=["hangs", "fails", "refuses", "not well"],
)
async def test_a_gate_in_trouble_is_shown_as_such_and_holds_up_nobody(
    world: World, admin: Actor, case: Actor, trouble: dict[str, Any], problem: str
) -> None:
    bad, good = FakeGate(versioned=True, **trouble), FakeGate(versioned=True)
    network = Network({"bad.example": bad, "good.example": good})
    await world.release(admin, "shared")
    gates = gate("bad.example", "wz02"), gate("good.example")
    async with kept(world, network, *gates, limit=0.5) as here:
        await here.vpn.access(case, "wz01")
        await until(lambda: good.reach("case") == {SHARED})

        async def told() -> bool:
            return problem in ((await here.views(admin))["bad"].problem or "")

        await until(told)
        view = (await here.views(admin))["bad"]
        assert view.problem_since is not None
        assert view.away == ("errors" not in trouble)
        (told_of,) = await here.vpn.troubles(admin)
        assert (told_of.url, told_of.realms) == ("http://bad.example:7474", ("wz02",))
        assert told_of.kind == ("unwell" if "errors" in trouble else "away")

        async def well() -> bool:
            return (await here.views(admin))["good"].problem is None

        await until(well)


async def test_a_gate_that_takes_no_picture_is_not_well_whatever_it_says(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    await world.release(admin, "shared")
    fake.blind = True
    async with kept(world, network, ONE) as here:

        async def told() -> bool:
            return (await here.views(admin))["one"].problem == f"{ONE.url}: status 503; the kernel refuses"

        await here.vpn.access(case, "wz01")
        await until(told)
        with world.bus.subscribe([ADMINS]) as news:
            looks = len(fake.asked)
            await until(lambda: len(fake.asked) > looks + 10)
            assert await told()
            with pytest.raises(TimeoutError):
                await news.next(0)  # it stays so: nothing to tell

        fake.blind = False
        await until(lambda: fake.reach("case") == {SHARED})
        await until(lambda: here.well(case))


async def test_an_old_gate_works_and_is_said_to_have_no_access_control(world: World, admin: Actor, case: Actor) -> None:
    old = FakeGate()
    await world.release(admin, "shared")
    async with kept(world, Network({"one.example": old}), ONE) as here:

        async def known() -> bool:
            return (await here.views(admin))["one"].enforces is False

        await until(known)
        assert (await here.vpn.access(case, "wz01")).kind == "wireguard"
        view, status = (await here.views(admin))["one"], await here.status(case)

    assert (view.problem, view.up_to_date, view.places) == (None, None, None)
    assert (status.given, status.connected, status.away, status.renewable) == (True, None, False, False)
    assert old.picture == {}


async def test_an_old_gate_that_is_renewed_is_told_who_may_reach_what(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    await world.release(admin, "shared")
    fake.versioned = False
    async with kept(world, network, ONE) as here:
        await here.vpn.access(case, "wz01")
        fake.versioned = True
        await until(lambda: fake.reach("case") == {SHARED})


async def test_two_processes_agree(world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor) -> None:
    slug = await world.release(admin)
    async with kept(world, network, ONE) as here, kept(world, network, ONE, bus=Bus()):
        await here.vpn.access(case, "wz01")
        for address in ("10.0.0.20", "10.0.0.21", "10.0.0.22"):
            session = await world.run(case, slug)
            await change(world, session, case, address=address)
            await until(lambda address=address: fake.reach("case") == {address})  # type: ignore[misc]
            await world.end(session)
            await until(lambda: fake.reach("case") == set())

        def quiet() -> bool:
            return not any(path.endswith("/access") for path in fake.asked[-12:])

        await until(quiet)

        async def settled() -> bool:
            taken = await here.taken(ONE.url)
            return taken is not None and taken.version == fake.version

        await until(settled)

    assert fake.shown == sorted(set(fake.shown))


async def test_one_gate_for_two_realms_is_told_the_union(
    world: World, network: Network, fake: FakeGate, admin: Actor, case: Actor
) -> None:
    slug = await world.release(admin)
    await world.release(admin, "shared")
    async with kept(world, network, ONE, gate("one.example", "wz02", shared_connects_back=True)) as here:
        await here.vpn.access(case, "wz01")
        await change(world, await world.run(case, slug), case, realm="wz02")

        await until(lambda: fake.reach("case") == {MACHINE, SHARED})

        assert fake.picture["case"] == {"two_way": [MACHINE], "one_way": [SHARED]}


async def test_what_is_known_of_gates_that_are_configured_no_more_is_forgotten(
    world: World, network: Network, fake: FakeGate, admin: Actor
) -> None:
    network.gates["two.example"] = FakeGate(versioned=True, lines={"case": 1.0}, players=["case"])
    async with kept(world, network, ONE, TWO) as here:

        async def seen() -> bool:
            views = await here.views(admin)
            return views["two"].online == 1 and views["one"].seen_at is not None

        await until(seen)

    async with kept(world, Network(), TWO) as later:
        assert (await later.views(admin))["two"].online == 1
    async with kept(world, Network(), ONE) as later:
        assert (await later.views(admin)).keys() == {"one"}
    async with kept(world, Network(), TWO) as later:
        assert (await later.views(admin))["two"].online == 0
