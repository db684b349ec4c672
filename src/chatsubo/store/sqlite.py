"""How SQLite is set up, for every engine that opens it."""

import contextlib
import os
from typing import Any

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
