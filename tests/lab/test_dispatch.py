"""Intents whose workflow did not do what it should, and a database that takes nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.errors import StorageFull
from chatsubo.domain.sessions import State, Verb
from chatsubo.jobs import Started, workflow_id
from chatsubo.lab import dispatch
from chatsubo.lab.dispatch import GIVE_UP_AFTER, _Trouble
from chatsubo.lab.lifecycle import Lifecycle, PlatformFailed
from chatsubo.lab.runs import Run
from chatsubo.live.bus import account_topic
from chatsubo.store.database import Database
from chatsubo.store.queue import Intent, pending_intents
from chatsubo.testing import MemoryJobs
from tests.lab.world import QUICK, WITHIN, World, furnish


class FullDatabase(Database):
    """A database whose disk is full for as long as ``full`` says so."""

    full = False
    refused = 0

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        async with super().write() as tx:
            yield tx
            if self.full:
                self.refused += 1
                raise StorageFull


class LosingJobs(MemoryJobs):
    """An engine that says a workflow is under way, and has lost it."""

    lost = 1

    async def start(self, session_id: str, generation: int, verb: str) -> Started:
        if generation <= self.lost:
            return Started.UNDER_WAY
        return await super().start(session_id, generation, verb)


class Failures:
    """How many runs are to fail with a mistake of the platform's own."""

    left = 0


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> Failures:
    """Have runs fail for as long as there are failures left."""
    failures, perform = Failures(), Lifecycle._perform

    async def fails(self: Lifecycle, run: Run) -> None:
        if failures.left:
            failures.left -= 1
            raise RuntimeError("a mistake of ours")
        await perform(self, run)

    monkeypatch.setattr(Lifecycle, "_perform", fails)
    return failures


async def test_an_intent_whose_workflow_ended_without_an_outcome_is_taken_up_again(
    world: World, failures: Failures
) -> None:
    failures.left = 2

    session = await world.run()

    assert session.generation >= 3
    assert world.hypervisor.machines[session.id].generation == session.generation


async def test_an_intent_that_can_never_be_carried_out_fails_the_session(world: World, failures: Failures) -> None:
    failures.left = 6

    failed = await world.reaches(await world.open(), State.FAILED)

    assert str(failed.failure) == PlatformFailed.message
    await world.run()


async def test_a_workflow_that_the_engine_has_lost_is_replaced(embedded: Database) -> None:
    world = World(embedded, LosingJobs(), pace=replace(QUICK, unclaimed=0.1))
    await world.lab.start()

    session = await world.run()

    assert session.generation >= 2
    await world.lab.aclose()


async def test_a_full_disk_loses_no_outcome(sqlite_url: str) -> None:
    db = FullDatabase.open(sqlite_url)
    await furnish(db)
    world = World(db)
    await world.lab.start()
    gate = world.hypervisor.hold("start:ready")
    session_id = await world.open()
    await gate.reached()

    db.full = True
    with pytest.raises(StorageFull):
        await world.open(account=2)
    gate.open()
    while db.refused < 4:
        await world.looked_at()
    assert (await world.session(session_id)).state is State.PROVISIONING
    db.full = False

    session = await world.reaches(session_id, State.RUNNING)
    assert session.generation == 1
    assert len(world.hypervisor.called("start")) == 1
    await world.lab.aclose()
    await db.aclose()


class NotingJobs(MemoryJobs):
    """An engine that notes what it is asked for, and does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def start(self, session_id: str, generation: int, verb: str) -> Started:
        self.asked.append(workflow_id(session_id, generation, verb))
        return Started.UNDER_WAY


async def test_a_failure_that_cannot_be_written_down_holds_up_no_other_intent(sqlite_url: str) -> None:
    db, jobs = FullDatabase.open(sqlite_url), NotingJobs()
    await furnish(db)
    world = World(db, jobs)
    hopeless, other = await world.ask(1), await world.ask(2)
    dispatcher = world.lab._dispatcher
    await dispatcher.look()
    dispatcher._troubles[hopeless] = _Trouble(1, renewals=GIVE_UP_AFTER, due=0.0)
    jobs.asked.clear()

    db.full = True
    async with asyncio.timeout(WITHIN):
        await dispatcher.look()
    assert jobs.asked == [workflow_id(other, 1, Verb.START)]
    db.full = False
    await dispatcher.look()

    assert (await world.session(hopeless)).state is State.FAILED
    await db.aclose()


async def test_who_asks_while_places_are_given_out_is_told_of_theirs(
    embedded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = NotingJobs()
    late: list[str] = []
    world = World(embedded, jobs)
    await world.ask(1)

    async def and_then_another_asks(tx: AsyncConnection) -> tuple[Intent, ...]:
        found = await pending_intents(tx)
        if not late:
            late.append(await world.ask(2))
        return found

    monkeypatch.setattr(dispatch, "pending_intents", and_then_another_asks)
    with world.bus.subscribe([account_topic(2)]) as news:
        await world.lab._dispatcher.look()
        told = await news.next(WITHIN)

    assert told is not None
    assert told.data["state"] == "provisioning"
    assert workflow_id(late[0], 1, Verb.START) in jobs.asked


async def test_health_tells_when_the_lab_does_not_work(idle: World) -> None:
    assert idle.lab.health() == {"lab": "it is not started"}
    await idle.lab.start()
    assert idle.lab.health() == {}
    idle.lab._dispatcher.looked_at -= 60
    assert "has not looked at the database" in idle.lab.health()["dispatcher"]


class TroubledJobs(MemoryJobs):
    """An engine that another one took the place of."""

    def trouble(self) -> str:
        return "another engine runs"


async def test_health_tells_when_the_engine_is_in_trouble(embedded: Database) -> None:
    world = World(embedded, TroubledJobs())
    await world.lab.start()
    assert world.lab.health() == {"engine": "another engine runs"}
    await world.lab.aclose()


class ChokingJobs(MemoryJobs):
    """An engine that chokes on one session."""

    choked = ""

    async def start(self, session_id: str, generation: int, verb: str) -> Started:
        if session_id == self.choked:
            raise ArithmeticError
        return await super().start(session_id, generation, verb)


async def test_one_intent_that_cannot_be_started_holds_up_no_other(embedded: Database) -> None:
    jobs = ChokingJobs()
    world = World(embedded, jobs)
    jobs.choked = await world.ask(1)
    await world.lab.start()
    assert (await world.run(2)).state is State.RUNNING
    await world.lab.aclose()


def test_an_intent_that_was_renewed_for_days_still_has_a_delay(embedded: Database) -> None:
    dispatcher = World(embedded).lab._dispatcher
    trouble = _Trouble(1, renewals=5_000)
    intent = Intent("s", 1, Verb.STOP, "fake", 1, 1, admitted=True, ended=False)
    assert dispatcher._delay(intent, trouble) == QUICK.renew_most
