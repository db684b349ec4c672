"""The durable engine behind its port."""

import asyncio
import logging
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from chatsubo.domain.errors import StorageFull, Unavailable
from chatsubo.domain.sessions import State
from chatsubo.jobs import Started
from chatsubo.jobs.durable import DurableJobs
from chatsubo.jobs.engines import open_engine
from chatsubo.jobs.lock import EngineInUse, is_held, lock_for
from chatsubo.lab.inventory import Inventory
from chatsubo.store.database import Database
from chatsubo.store.sessions import read_values
from tests.databases import PostgreSQL
from tests.lab.world import WITHIN, World
from tests.needs import need

SESSION = "0a9b8f5e-0000-4000-8000-000000000001"


class Handler:
    """Notes what it was called for, and where; waits at each call until it is let through."""

    def __init__(self, *, through: bool = True) -> None:
        self.calls: asyncio.Queue[tuple[str, int, str]] = asyncio.Queue()
        self.loops: list[asyncio.AbstractEventLoop] = []
        self.through = asyncio.Event()
        if through:
            self.through.set()

    async def __call__(self, session_id: str, generation: int, verb: str) -> None:
        self.loops.append(asyncio.get_running_loop())
        self.calls.put_nowait((session_id, generation, verb))
        await self.through.wait()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=need.postgresql)])
def engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new system database, of either kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jobs.db'}"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
async def jobs(engine_url: str) -> AsyncIterator[DurableJobs]:
    """An engine that is still to be launched; it is shut down afterwards."""
    engine = DurableJobs(engine_url)
    yield engine
    await engine.shutdown()


async def until_ended(jobs: DurableJobs, generation: int = 1) -> None:
    """Wait for the end of the session's workflow to be written down."""
    async with asyncio.timeout(WITHIN):
        while await jobs.start(SESSION, generation, "start") is not Started.ENDED:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # the engine tells nobody of it


async def test_a_workflow_is_started_once(jobs: DurableJobs) -> None:
    handler = Handler(through=False)
    jobs.handle_with(handler)
    await jobs.launch()

    assert await jobs.start(SESSION, 1, "start") is Started.NEW
    assert await jobs.start(SESSION, 1, "start") is Started.UNDER_WAY
    handler.through.set()
    await until_ended(jobs)

    assert handler.calls.qsize() == 1
    assert await handler.calls.get() == (SESSION, 1, "start")
    assert await jobs.start(SESSION, 2, "stop") is Started.NEW


async def test_a_handler_that_fails_ends_its_workflow(jobs: DurableJobs) -> None:
    async def broken(session_id: str, generation: int, verb: str) -> None:
        raise KeyError("surprise")

    jobs.handle_with(broken)
    await jobs.launch()
    await jobs.start(SESSION, 1, "start")

    await until_ended(jobs)


async def test_what_was_under_way_is_recovered_on_the_loop_that_launched_the_engine(engine_url: str) -> None:
    first, held = DurableJobs(engine_url), Handler(through=False)
    first.handle_with(held)
    await first.launch()
    await first.start(SESSION, 1, "start")
    await held.calls.get()
    await first.shutdown()

    second, handler = DurableJobs(engine_url), Handler()
    second.handle_with(handler)
    await second.launch()
    async with asyncio.timeout(WITHIN):
        recovered = await handler.calls.get()
    await second.shutdown()

    assert recovered == (SESSION, 1, "start")
    assert handler.loops == [asyncio.get_running_loop()]


async def test_an_engine_with_recovered_work_under_way_stops_at_once(engine_url: str) -> None:
    held = Handler(through=False)
    for _ in range(2):
        jobs = DurableJobs(engine_url)
        jobs.handle_with(held)
        await jobs.launch()
        if held.loops == []:
            await jobs.start(SESSION, 1, "start")
        async with asyncio.timeout(WITHIN):
            await held.calls.get()
            await jobs.shutdown()


async def test_threads_can_be_used_after_the_engine(jobs: DurableJobs) -> None:
    await jobs.launch()
    await jobs.start(SESSION, 1, "start")

    await jobs.shutdown()

    assert await asyncio.to_thread(lambda: "still here") == "still here"


async def test_a_second_engine_is_refused_and_says_why(jobs: DurableJobs, engine_url: str) -> None:
    assert not await asyncio.to_thread(is_held, engine_url)
    await jobs.launch()
    another = open_engine(make_url(engine_url))
    assert await asyncio.to_thread(is_held, engine_url)

    with pytest.raises(EngineInUse, match="Another Chatsubo server runs on this database"):
        await asyncio.to_thread(lock_for, another)
    await jobs.shutdown()
    assert not await asyncio.to_thread(is_held, engine_url)
    (await asyncio.to_thread(lock_for, another)).release()
    another.dispose()


async def test_a_database_that_cannot_be_opened_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await DurableJobs(f"sqlite:///{tmp_path / 'missing' / 'jobs.db'}").launch()


def modes_in(folder: Path) -> dict[str, int]:
    """Return the permissions of the files in a folder, by name."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_the_files_of_an_embedded_engine_are_for_their_owner_alone(tmp_path: Path) -> None:
    jobs = DurableJobs(f"sqlite:///{tmp_path / 'jobs.db'}")
    jobs.handle_with(Handler())
    await jobs.launch()
    await jobs.start(SESSION, 1, "start")

    modes = modes_in(tmp_path)
    await jobs.shutdown()

    assert set(modes) == {"jobs.db", "jobs.db-wal", "jobs.db-shm", "jobs.db.lock"}
    assert set(modes.values()) == {0o600}


async def test_what_ended_long_ago_is_forgotten(jobs: DurableJobs) -> None:
    jobs.handle_with(Handler())
    await jobs.launch()
    await jobs.start(SESSION, 1, "start")
    await until_ended(jobs)

    await jobs.forget(older_than=3600)
    assert await jobs.start(SESSION, 1, "start") is Started.ENDED
    await jobs.forget(older_than=-1)

    assert await jobs.start(SESSION, 1, "start") is Started.NEW


async def test_the_engine_keeps_no_secret_and_writes_no_line(
    embedded: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "jobs.db"
    world = World(embedded, DurableJobs(f"sqlite:///{path}"))
    logging.getLogger("dbos").handlers.clear()
    await world.lab.start()
    session = await world.run()
    async with world.db.read() as tx:
        values = await read_values(tx, session.id)
    await world.stop(session.id)
    await world.reaches(session.id, State.STOPPED)
    await world.lab.aclose()

    with sqlite3.connect(path) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert session.id in dump
    assert not [name for name, value in values.items() if name != "SESSION" and value in dump]
    assert "dbos" not in capfd.readouterr().err.lower()


async def test_the_lab_closes_without_waiting_for_what_hangs(embedded: Database, tmp_path: Path) -> None:
    world = World(embedded, DurableJobs(f"sqlite:///{tmp_path / 'jobs.db'}"))
    gate = world.hypervisor.hold("start:boot")
    world.hypervisor.hang("list_templates")
    await world.lab.start()
    session_id = await world.open()
    await gate.reached()

    async with asyncio.timeout(WITHIN):  # a call may take ten times as long, to hang and to be called off
        await world.lab.aclose()

    assert world.hypervisor.machines == {}
    assert (await world.session(session_id)).state is State.PROVISIONING
    world.jobs = DurableJobs(f"sqlite:///{tmp_path / 'jobs.db'}")
    world.hypervisor.faults.clear()
    world.equip(world.providers)
    await world.lab.start()
    await world.reaches(session_id, State.RUNNING)
    await world.lab.aclose()


async def test_a_lab_that_cannot_start_leaves_no_engine_running(
    embedded: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: Inventory) -> None:
        raise StorageFull

    world = World(embedded, DurableJobs(f"sqlite:///{tmp_path / 'jobs.db'}"))
    with monkeypatch.context() as during:
        during.setattr(Inventory, "prepare", full)
        with pytest.raises(StorageFull):
            await world.lab.start()

    await world.lab.start()
    await world.run()
    await world.lab.aclose()


async def test_an_intent_whose_workflow_the_engine_lost_is_carried_out(embedded: Database, tmp_path: Path) -> None:
    world = World(embedded, DurableJobs(f"sqlite:///{tmp_path / 'jobs.db'}"))
    await world.lab.start()
    session = await world.run()
    await world.lab.aclose()
    (tmp_path / "jobs.db").unlink()
    await world.stop(session.id)
    world.jobs = DurableJobs(f"sqlite:///{tmp_path / 'jobs.db'}")
    world.equip(world.providers)

    await world.lab.start()

    await world.reaches(session.id, State.STOPPED)
    await world.lab.aclose()
