"""Transactions that are cancelled on SQLite: they leave no lock, no connection and no thread behind."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event, text

from chatsubo.store import database
from chatsubo.store.database import Database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chatsubo.db"


@pytest.fixture
async def db(file: Path) -> AsyncIterator[Database]:
    """An empty database in a file."""
    database = Database.open(f"sqlite:///{file}")
    yield database
    await database.aclose()


async def test_a_writer_that_is_cancelled_between_a_query_and_its_rows_lets_the_others_write(
    db: Database, file: Path
) -> None:
    asked = asyncio.Event()

    @event.listens_for(db._writing.sync_engine, "before_cursor_execute")
    def ask(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement == "SELECT 1":
            asked.set()

    async def write() -> None:
        async with db.write() as tx:
            await tx.execute(text("SELECT 1"))

    writing = asyncio.create_task(write())
    await asked.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError) as kept:  # and what is in its frames, the cursor among it
        await writing

    other = sqlite3.connect(file, timeout=0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.close()
    assert kept.type is asyncio.CancelledError


async def test_a_database_is_closed_when_the_threads_of_its_connections_have_ended(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, connecting, threads = sqlite3.connect, asyncio.Event(), list[threading.Thread]()
    loop = asyncio.get_running_loop()

    def slowly(path: str, **options: object) -> sqlite3.Connection:
        threads.append(threading.current_thread())
        loop.call_soon_threadsafe(connecting.set)
        time.sleep(0.3)
        return connect(path, **options)  # type: ignore[call-overload, no-any-return]

    async def read() -> None:
        async with db.read():
            pass

    monkeypatch.setattr(sqlite3, "connect", slowly)
    monkeypatch.setattr(database, "ENDING_SECONDS", 60)
    reading = asyncio.create_task(read())
    await connecting.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await db.aclose()

    assert [thread.is_alive() for thread in threads] == [False]
