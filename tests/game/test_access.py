"""Who may reach what."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, update

from chatsubo.domain.sessions import State
from chatsubo.game import Actor
from chatsubo.game.access import AccessReader, reachable
from chatsubo.gates import Reach
from chatsubo.store.gates import bind_gate, cut_off
from chatsubo.store.listings import ListedInstance
from chatsubo.store.machines import Machine
from chatsubo.store.tables import sessions
from tests.game.world import World

URL, OTHER = "http://one.example:7474", "http://two.example:7474"
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


async def bind(world: World, *actors: Actor, realm: str = "wz01", url: str = URL) -> None:
    async with world.db.write() as tx:
        for actor in actors:
            await bind_gate(tx, actor.account_id, realm, url=url, instead_of=None, now=AT)


async def reaches(world: World, *realms: str, url: str = URL, back: tuple[str, ...] = ()) -> dict[str, Reach]:
    async with world.db.read() as tx:
        return dict((await AccessReader(world.clock).picture(tx, url, realms or ("wz01",), back)).players)


async def change(world: World, session_id: str, **columns: object) -> None:
    async with world.db.write() as tx:
        await tx.execute(update(sessions).where(sessions.c.id == session_id).values(**columns))


async def test_a_player_reaches_its_own_machine_and_nobody_elses(world: World) -> None:
    slug = await world.release(await world.admin())
    case, molly = await world.player("case"), await world.player("molly")
    await bind(world, case, molly)

    await world.run(case, slug)

    assert await reaches(world) == {"case": Reach(two_way=("10.0.0.9",))}


async def test_who_is_bound_to_no_gate_is_in_no_picture(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    await world.run(case, slug)
    await bind(world, case, url=OTHER)

    assert await reaches(world) == {}
    assert await reaches(world, url=OTHER) == {"case": Reach(two_way=("10.0.0.9",))}


@pytest.mark.parametrize("state", list(State))
async def test_a_machine_is_reached_while_it_is_up_and_no_longer(world: World, state: State) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    await bind(world, case)
    session = await world.run(case, slug)

    await change(world, session, state=state, ended_at=AT if state in {State.STOPPED, State.FAILED} else None)

    assert bool(await reaches(world)) == (state in {State.RUNNING, State.RESETTING})


async def test_all_machines_of_a_session_are_reached(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    await bind(world, case)
    session = await world.run(case, slug)

    machines = [
        {"name": "web", "address": "10.0.0.9"},
        {"name": "db", "address": "fd00::9"},
        {"name": "x", "address": None},
    ]
    await change(world, session, machines=machines)

    assert await reaches(world) == {"case": Reach(two_way=("10.0.0.9", "fd00::9"))}


async def test_a_machine_that_moved_is_reached_where_it_is(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    await bind(world, case)
    session = await world.run(case, slug)

    await change(world, session, address="10.0.0.77")

    assert await reaches(world) == {"case": Reach(two_way=("10.0.0.77",))}


async def test_shared_machines_of_released_boxes_are_reached_by_all_and_only_answer(world: World) -> None:
    admin = await world.admin()
    case, molly = await world.player("case"), await world.player("molly")
    await bind(world, case, molly)
    assert await reaches(world) == {}

    slug = await world.release(admin, "shared")
    assert await reaches(world) == {name: Reach(one_way=("10.0.0.5",)) for name in ("case", "molly")}

    await world.game.box_admin.retire(admin, slug)
    assert await reaches(world) == {}


async def test_a_realm_may_let_shared_machines_connect_to_players(world: World) -> None:
    case = await world.player("case")
    await bind(world, case)
    await world.release(await world.admin(), "shared")

    assert await reaches(world, back=("wz01",)) == {"case": Reach(two_way=("10.0.0.5",))}
    assert await reaches(world, back=("wz02",)) == {"case": Reach(one_way=("10.0.0.5",))}


async def test_organisers_reach_what_is_not_released_yet(world: World) -> None:
    admin, case = await world.admin(), await world.player("case")
    await bind(world, admin, case)
    slug = await world.release(admin, "shared")
    await world.game.box_admin.retire(admin, slug)

    assert await reaches(world) == {"finn": Reach(one_way=("10.0.0.5",))}

    await world.game.box_admin.delete(admin, slug)
    assert await reaches(world) == {}


async def test_machines_of_boxes_that_nobody_registered_are_reached_by_nobody(world: World) -> None:
    case = await world.player("case")
    await bind(world, case)

    assert await reaches(world) == {}


async def test_a_gate_leads_to_machines_of_its_realms_alone(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    await bind(world, case)
    session = await world.run(case, slug)
    async with world.db.write() as tx:
        row = (await tx.execute(sessions.select().where(sessions.c.id == session))).mappings().one()
        await tx.execute(insert(sessions).values({**row, "id": "2" * 36, "realm": "wz02", "address": "10.2.0.9"}))

    assert await reaches(world, "wz01") == {"case": Reach(two_way=("10.0.0.9",))}
    assert await reaches(world, "wz01", "wz02") == {"case": Reach(two_way=("10.0.0.9", "10.2.0.9"))}


async def test_who_is_cut_off_from_a_realm_reaches_nothing_there(world: World) -> None:
    await world.release(await world.admin(), "shared")
    case, molly = await world.player("case"), await world.player("molly")
    await bind(world, case, molly)
    await bind(world, case, realm="wz02")
    other = ListedInstance(id="2", name="shared-2", realm="wz02", template="shared", address="10.2.0.5")
    here = ListedInstance(id="1", name="shared-1", realm="wz01", template="shared", address="10.0.0.5")
    await world.offer(instances=(here, other), realms=("wz01", "wz02"))

    async with world.db.write() as tx:
        await cut_off(tx, case.account_id, "wz01", AT)

    assert await reaches(world, "wz01", "wz02") == {
        "case": Reach(one_way=("10.2.0.5",)),
        "molly": Reach(one_way=("10.0.0.5", "10.2.0.5")),
    }
    async with world.db.write() as tx:
        await cut_off(tx, case.account_id, "wz02", AT)
    assert set(await reaches(world, "wz01", "wz02")) == {"molly"}


async def test_every_machine_of_a_shared_instance_is_reached(world: World) -> None:
    await world.release(await world.admin(), "shared")
    await bind(world, await world.player("case"))
    machines = (Machine("a", "10.0.0.5"), Machine("b", "10.0.0.6"), Machine("c", None))
    instance = ListedInstance(
        id="1", name="s", realm="wz01", template="shared", address="dc.example", machines=machines
    )
    await world.offer(instances=(instance,))

    assert await reaches(world) == {"case": Reach(one_way=("10.0.0.5", "10.0.0.6"))}


def test_what_is_no_machine_of_a_realm_is_never_reached() -> None:
    barred = ["127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fe80::1%a"]
    barred += [
        "::",
        "ff02::1",
        "::ffff:169.254.169.254",
        "fd00::1%eth0",
        "docker.example",
        "10.0.0.0/8",
        "",
        " 10.0.0.1",
    ]

    assert reachable([*barred, None]) == set()
    assert reachable(["10.0.0.1", "FD00:0::1", "::ffff:10.0.0.2"]) == {"10.0.0.1", "fd00::1", "10.0.0.2"}


async def test_two_pictures_that_say_the_same_have_one_digest(world: World) -> None:
    slug = await world.release(await world.admin())
    case = await world.player("case")
    await bind(world, case)

    async def digest() -> str:
        async with world.db.read() as tx:
            return (await AccessReader(world.clock).picture(tx, URL, ["wz01"])).digest

    before = await digest()
    session = await world.run(case, slug)
    during = await digest()
    await world.end(session)

    assert before == await digest() != during
