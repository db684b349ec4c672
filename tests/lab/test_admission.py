"""Many starts at once: the cap of the provider, fairness between players, and their place in the queue."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest

from chatsubo.domain.sessions import State, Verb
from chatsubo.lab.dispatch import STAGES
from chatsubo.providers.base import BaseInstance, Progress, StartOrder
from chatsubo.store.database import Database
from chatsubo.store.queue import admit, queue_position
from chatsubo.testing import FakeHypervisor, FakeProvider
from tests.lab.world import WITHIN, World, add_players, furnish


class Counting(FakeProvider):
    """A provider that notes how many starts and resets are under way at once."""

    def __init__(self, hypervisor: FakeHypervisor, places: int) -> None:
        super().__init__("fake", hypervisor, max_concurrent_starts=places)
        self.now = 0
        self.most = 0
        self.full = asyncio.Event()
        self.order: list[str] = []

    async def start_dynamic_instance(
        self, realm: str, template: str, session_id: str, order: StartOrder
    ) -> BaseInstance:
        self.order.append(session_id)
        return await self._counted(super().start_dynamic_instance(realm, template, session_id, order))

    async def reset(
        self, realm: str, template: str, session: StartOrder | None = None, *, progress: Progress | None = None
    ) -> BaseInstance:
        return await self._counted(super().reset(realm, template, session, progress=progress))

    async def _counted(self, call: Awaitable[BaseInstance]) -> BaseInstance:
        self.now += 1
        self.most = max(self.most, self.now)
        if self.now == self.max_concurrent_starts:
            self.full.set()
        try:
            return await call
        finally:
            self.now -= 1


@pytest.fixture
async def crowd(embedded: Database) -> AsyncIterator[World]:
    """A world with room for three starts at once."""
    world = World(embedded)
    world.equip({"fake": Counting(world.hypervisor, places=3)})
    yield world
    await world.lab.aclose()


async def test_fifty_starts_at_once_respect_the_cap_and_all_run(crowd: World) -> None:
    await add_players(crowd.db, range(11, 51))
    first_boots = crowd.hypervisor.hold("start:boot", times=3)
    await crowd.lab.start()

    sessions = await asyncio.gather(*(crowd.open(account) for account in range(1, 51)))
    async with asyncio.timeout(WITHIN):
        await crowd.providers["fake"].full.wait()  # type: ignore[attr-defined]
    first_boots.open()
    await asyncio.gather(*(crowd.reaches(one, State.RUNNING) for one in sessions))

    assert len(crowd.hypervisor.machines) == 50
    assert crowd.providers["fake"].most == 3  # type: ignore[attr-defined]
    assert sorted(crowd.providers["fake"].order) == sorted(sessions)  # type: ignore[attr-defined]


async def test_starts_and_resets_share_the_cap_and_places_of_called_off_starts_are_free_again(crowd: World) -> None:
    await crowd.lab.start()
    running = [await crowd.run(account) for account in range(1, 6)]
    crowd.hypervisor.hold("start:boot")
    starting = [await crowd.open(account) for account in (6, 7, 8, 9)]
    for one in running:
        await crowd.reset(one.id)
    await crowd.providers["fake"].full.wait()  # type: ignore[attr-defined]

    for session_id in starting:
        await crowd.stop(session_id)

    await asyncio.gather(*(crowd.reaches(session_id, State.STOPPED) for session_id in starting))
    await asyncio.gather(*(crowd.reaches(one.id, State.RUNNING) for one in running))
    assert crowd.providers["fake"].most == 3  # type: ignore[attr-defined]


async def test_a_player_with_fewer_machines_goes_first(crowd: World) -> None:
    crowd.equip({"fake": Counting(crowd.hypervisor, places=1)})
    gate = crowd.hypervisor.hold("start:boot")
    await crowd.lab.start()
    first = await crowd.open(account=1, box=1)
    await gate.reached()
    again = await crowd.ask(account=1, box=2)
    crowd.clock.advance(seconds=1)
    other = await crowd.ask(account=2, box=1)
    crowd.lab.wake()

    async with crowd.db.read() as tx:
        places = [await queue_position(tx, one) for one in (first, again, other)]
    gate.open()
    for one in (first, again, other):
        await crowd.reaches(one, State.RUNNING)

    assert places[0] is None
    assert [(one.position, one.waiting) for one in places[1:] if one] == [(2, 2), (1, 2)]
    assert crowd.providers["fake"].order == [first, other, again]  # type: ignore[attr-defined]


async def test_the_wait_is_guessed_from_the_last_starts(crowd: World) -> None:
    await crowd.lab.start()
    gate = crowd.hypervisor.hold("start:boot", times=1)
    session_id = await crowd.open()
    await gate.reached()
    crowd.clock.advance(seconds=15)
    gate.open()
    await crowd.reaches(session_id, State.RUNNING)
    gate = crowd.hypervisor.hold("start:boot")
    asked = []
    for account in range(2, 8):
        crowd.clock.advance(seconds=1)
        asked.append(await crowd.open(account))
    under_way, waiting = asked[:3], asked[3:]
    await asyncio.gather(*(crowd.until(one, lambda found: found.admitted_at is not None) for one in under_way))

    async with crowd.db.read() as tx:
        places = [await queue_position(tx, one) for one in waiting]

    assert [one.seconds for one in places if one] == [20, 25, 30]  # 15 s a start, three at a time
    gate.open()


async def test_two_processes_never_hand_out_one_place_twice(db: Database) -> None:
    await furnish(db)
    world = World(db)
    for account in range(1, 9):
        await world.ask(account)

    async def once() -> frozenset[str]:
        async with db.write() as tx:
            return await admit(tx, "fake", 3, stages=STAGES, now=world.clock())

    admitted = await asyncio.gather(*(once() for _ in range(6)))

    assert sum(len(one) for one in admitted) == 3
    assert len(frozenset().union(*admitted)) == 3
    chosen = await world.session(next(iter(frozenset().union(*admitted))))
    assert (chosen.state, chosen.verb, str(chosen.stage)) == (State.PROVISIONING, Verb.START, "Starting the machine")
