"""A worker that is killed with SIGKILL at every step, or paused and woken: nothing is lost, and nothing is left."""

import asyncio
import os
import signal
import sqlite3
from contextlib import closing
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from chatsubo.domain.sessions import State
from chatsubo.jobs.durable import DurableJobs
from chatsubo.jobs.lock import EngineInUse
from chatsubo.store.database import Database
from chatsubo.store.sessions import given_values
from tests.lab.filed import FiledProvider
from tests.lab.worker import STAY, spawn
from tests.lab.world import WITHIN, World

# In the order in which they come. The first write of a start admits it, the second is its outcome.
STARTING = [
    "before write 1",
    "after write 1",
    "workflow",
    "start:begin",
    "start:half",
    "start:end",
    "before write 2",
    "after write 2",
]
RESETTING = ["after write 1", "workflow", "reset:begin", "reset:half", "reset:end", "before write 2", "after write 2"]
STOPPING = ["workflow", "stop:begin", "stop:end", "before write 1", "after write 1"]


async def die_at(folder: Path, death: str) -> None:
    """Have a worker killed at the point ``death``."""
    assert await end_of(spawn(folder, death)) == -signal.SIGKILL, f"it never came to {death!r}"


async def finish(folder: Path) -> None:
    """Have a worker do what is left to do."""
    assert await end_of(spawn(folder)) == 0


async def end_of(process: ForkServerProcess) -> int | None:
    """Wait until a worker has ended, and return its exit code; ``None`` if it did not end by itself."""
    await asyncio.to_thread(process.join, WITHIN)
    code = process.exitcode
    process.kill()
    return code


@pytest.mark.parametrize("death", STARTING)
async def test_a_start_that_was_killed_is_finished_after_a_restart(
    embedded: Database, tmp_path: Path, death: str
) -> None:
    world = World(embedded)
    session_id = await world.ask(provider="filed")

    await die_at(tmp_path, death)
    await finish(tmp_path)

    await assert_runs(world, tmp_path, session_id)


@pytest.mark.parametrize("death", RESETTING)
async def test_a_reset_that_was_killed_is_finished_after_a_restart(
    embedded: Database, tmp_path: Path, death: str
) -> None:
    world = World(embedded)
    session_id = await world.ask(provider="filed")
    await finish(tmp_path)
    await world.reset(session_id)

    await die_at(tmp_path, death)
    await finish(tmp_path)

    await assert_runs(world, tmp_path, session_id)
    assert f"{session_id} 2" in FiledProvider(tmp_path).made()


@pytest.mark.parametrize("death", STOPPING)
async def test_a_stop_that_was_killed_is_finished_after_a_restart(
    embedded: Database, tmp_path: Path, death: str
) -> None:
    world = World(embedded)
    session_id = await world.ask(provider="filed")
    await finish(tmp_path)
    await world.stop(session_id)

    await die_at(tmp_path, death)
    await finish(tmp_path)

    assert (await world.session(session_id)).state is State.STOPPED
    assert FiledProvider(tmp_path).machines() == []


async def test_a_start_that_was_killed_can_be_called_off_meanwhile(embedded: Database, tmp_path: Path) -> None:
    world = World(embedded)
    session_id = await world.ask(provider="filed")
    await die_at(tmp_path, "start:half")
    await world.stop(session_id)

    await finish(tmp_path)

    assert (await world.session(session_id)).state is State.STOPPED
    assert FiledProvider(tmp_path).machines() == []


async def test_a_worker_that_is_killed_again_and_again_gets_there(embedded: Database, tmp_path: Path) -> None:
    world = World(embedded)
    sessions = [await world.ask(account, provider="filed") for account in (1, 2, 3)]
    for death in ("after write 1", "start:half", "start:end", "workflow"):
        await die_at(tmp_path, death)

    await finish(tmp_path)

    for session_id in sessions:
        assert (await world.session(session_id)).state is State.RUNNING
    assert len(FiledProvider(tmp_path).machines()) == 3


async def test_a_worker_that_is_paused_and_woken_goes_on(embedded: Database, tmp_path: Path) -> None:
    world = World(embedded)
    sessions = [await world.ask(account, provider="filed") for account in range(1, 9)]
    (tmp_path / STAY).touch()
    process = spawn(tmp_path)
    assert process.pid is not None
    provider = FiledProvider(tmp_path)
    while not provider.machines():  # noqa: ASYNC110
        await asyncio.sleep(0.002)  # files of another process are no event here
    await pause(process.pid, tmp_path / "chatsubo.db")
    with pytest.raises(EngineInUse):
        await DurableJobs(f"sqlite:///{tmp_path / 'jobs.db'}").launch()
    await world.stop(sessions[0])
    os.kill(process.pid, signal.SIGCONT)
    (tmp_path / STAY).unlink()

    assert await end_of(process) == 0
    assert (await world.session(sessions[0])).state is State.STOPPED
    assert [(await world.session(one)).state for one in sessions[1:]] == [State.RUNNING] * 7
    assert sorted(path.stem for path in provider.machines()) == sorted(sessions[1:])


async def pause(pid: int, database: Path) -> None:
    """Stop a process while it is in no writing transaction: nobody else could write until it goes on."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        while "\nState:\tT" not in Path(f"/proc/{pid}/status").read_text():  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0)
        with closing(sqlite3.connect(database, timeout=0)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
            else:
                return


async def assert_runs(world: World, folder: Path, session_id: str) -> None:
    """Assert that the session runs, on the one machine there is, with the flag that is on it."""
    provider = FiledProvider(folder)
    session = await world.session(session_id)
    assert (session.state, session.verb) == (State.RUNNING, None)
    assert [path.stem for path in provider.machines()] == [session_id]
    machine = provider.read(session_id)
    assert (machine["ready"], machine["generation"]) == (True, session.generation)
    async with world.db.read() as tx:
        [given] = await given_values(tx, 1, world.clock())
    assert given.value == machine["flag"]
