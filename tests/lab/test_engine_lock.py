"""The lock of the engine in PostgreSQL, whose connection breaks."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from chatsubo.jobs import Started, engines
from chatsubo.jobs.durable import DurableJobs
from chatsubo.jobs.engines import open_engine
from chatsubo.jobs.lock import _KEY, EngineInUse, ServerLock
from tests.databases import PostgreSQL
from tests.lab.world import WITHIN
from tests.needs import need

pytestmark = need.postgresql

SESSION = "0a9b8f5e-0000-4000-8000-000000000001"
HOLDERS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted = %s AND database ="
HERE = "(SELECT oid FROM pg_database WHERE datname = current_database())"


class Rival:
    """Another server's connection, which takes the lock as soon as it is free."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._watch = psycopg.connect(url, autocommit=True)
        self._waiting = threading.Thread(target=self._connection.execute, args=(f"SELECT pg_advisory_lock({_KEY})",))

    def pids(self, *, granted: bool) -> list[int]:
        """Return the server's processes that hold the lock, or that wait for it."""
        return [row[0] for row in self._watch.execute(f"{HOLDERS} {HERE}", (_KEY, granted))]

    def wait(self) -> None:
        """Stand in line for the lock."""
        self._waiting.start()
        while not self.pids(granted=False):
            time.sleep(0.01)  # the server tells nobody who waits

    def end(self, pids: list[int]) -> None:
        """End processes of the server, as it does itself when it is stopped."""
        for pid in pids:
            self._watch.execute("SELECT pg_terminate_backend(%s)", (pid,))

    def let_go(self) -> None:
        """Let the lock go that it stood in line for."""
        self._waiting.join()
        self._connection.execute("SELECT pg_advisory_unlock(%s)", (_KEY,))

    def close(self) -> None:
        self._connection.close()
        self._watch.close()


@pytest.fixture
def url(postgresql: PostgreSQL) -> str:
    return postgresql.new_database()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_engine(make_url(url))
    yield engine
    engine.dispose()


@pytest.fixture
def rival(url: str) -> Iterator[Rival]:
    rival = Rival(url)
    yield rival
    rival.close()


def test_a_server_that_does_not_answer_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines._PATIENCE, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = open_engine(make_url(f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"))
        with pytest.raises(OperationalError, match="timeout"):
            engine.connect()


def test_a_server_that_a_network_cuts_off_is_given_up_within_half_a_minute(engine: Engine, url: str) -> None:
    with engine.connect() as connection:
        told = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
    assert int(told["tcp_user_timeout"]) <= 30_000
    assert sum(int(told[f"keepalives_{part}"]) for part in ("idle", "interval")) <= 30
    patient = open_engine(make_url(url).update_query_dict({"tcp_user_timeout": "90000"}))
    with patient.connect() as connection:
        told = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
    assert told["tcp_user_timeout"] == "90000"
    patient.dispose()


def test_a_lock_that_was_lost_with_its_connection_is_taken_again(engine: Engine, rival: Rival) -> None:
    lock = ServerLock(engine)
    before = rival.pids(granted=True)
    rival.end(before)
    lock.keep()

    [after] = rival.pids(granted=True)
    assert [after] != before
    lock.keep()
    assert rival.pids(granted=True) == [after]
    lock.release()
    assert rival.pids(granted=True) == []


def test_a_connection_that_broke_without_the_server_noticing_does_not_keep_the_lock(
    engine: Engine, rival: Rival
) -> None:
    lock = ServerLock(engine)
    before = rival.pids(granted=True)
    broken = lock._connection.connection.driver_connection.fileno()  # type: ignore[union-attr]
    server_side = os.dup(broken)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, broken)
    assert rival.pids(granted=True) == before

    lock.keep()

    assert len(rival.pids(granted=True)) == 1
    assert rival.pids(granted=True) != before
    lock.release()
    os.close(nowhere)
    os.close(server_side)


def test_a_lock_that_another_took_meanwhile_is_taken_again_once_it_is_free(engine: Engine, rival: Rival) -> None:
    lock = ServerLock(engine)
    rival.wait()
    rival.end(rival.pids(granted=True))
    for _ in range(2):
        with pytest.raises(EngineInUse):
            lock.keep()

    rival.let_go()
    lock.keep()
    lock.release()


async def test_an_engine_that_was_displaced_says_so_and_starts_nothing_until_it_is_alone_again(
    url: str, rival: Rival
) -> None:
    async def handler(session_id: str, generation: int, verb: str) -> None:
        """Do nothing."""

    jobs = DurableJobs(url, guard_every=0.01)
    jobs.handle_with(handler)
    await jobs.launch()
    await asyncio.to_thread(rival.wait)
    await asyncio.to_thread(rival.end, rival.pids(granted=True))
    async with asyncio.timeout(WITHIN):
        while not jobs.trouble():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert jobs.trouble() == "another server runs on this database: stop one of the two"
    with pytest.raises(EngineInUse):
        await jobs.start(SESSION, 1, "start")
    await asyncio.to_thread(rival.let_go)
    async with asyncio.timeout(WITHIN):
        while jobs.trouble():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert await jobs.start(SESSION, 1, "start") is Started.NEW
    await jobs.shutdown()
