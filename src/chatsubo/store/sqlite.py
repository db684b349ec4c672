"""How SQLite is set up, for every engine that opens it."""

import contextlib
import os
import sqlite3
import time
from threading import Thread
from typing import Any

import aiosqlite
from sqlalchemy import Engine, event

_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-16000")


def make_private(database: str | None) -> None:
    """Make the database's file, for its owner alone: it holds flags and password hashes. One that exists is left alone.

    SQLite gives the files that it makes beside it the same rights, and says itself what is wrong with a path.

    Args:
        database: The file's path; ``None``, empty or ``:memory:`` is no file.
    """
    if database and database != ":memory:":
        with contextlib.suppress(OSError):
            os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def configure(engine: Engine, *, writing: bool) -> None:
    """Set SQLite's modes on each connection of ``engine``, and start its transactions ourselves.

    The driver's own way would leave DDL outside of transactions and begin late.

    Args:
        engine: The engine, before its first use.
        writing: Whether it is for writing, one transaction at a time; else it can write nothing.
    """
    pragmas = _PRAGMAS if writing else (*_PRAGMAS, "query_only=ON")

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


class Connection(sqlite3.Connection):
    """A connection that ends its transaction when it is closed.

    SQLite keeps a closed connection, and its lock, for as long as a statement is under way on it (sqlite3_close_v2);
    one that was cancelled before its rows were read is, until Python collects it.
    """

    def close(self) -> None:
        """Roll back, and close."""
        if self.in_transaction:
            self.rollback()
        super().close()


class Threads:
    """The threads of an engine's connections. The driver gives each connection one, and does not wait for its end.

    A thread that ended after the event loop would have nobody to tell, and would die with its connection still open.
    """

    def __init__(self, engine: Engine) -> None:
        """Note the threads of all connections that ``engine`` makes from now on."""
        self._threads: set[Thread] = set()

        @event.listens_for(engine, "do_connect")
        def connect(_dialect: Any, _record: Any, _positional: Any, named: dict[str, Any]) -> None:
            named["async_creator_fn"] = self._connection

    def wait(self, seconds: float) -> None:
        """Wait for the end of all threads, for some seconds at most. Blocks."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))

    def _connection(self, *positional: Any, **named: Any) -> aiosqlite.Connection:
        connection = aiosqlite.connect(*positional, **named)
        thread = connection._thread  # noqa: SLF001  SQLAlchemy sets it to daemonic in just this way
        thread.daemon = True
        self._threads = {one for one in self._threads if one.is_alive()} | {thread}
        return connection
