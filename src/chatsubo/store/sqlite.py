"""How SQLite is set up, for every engine that opens it."""

from typing import Any

from sqlalchemy import Engine, event

_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-16000")


def configure(engine: Engine, begin: str) -> None:
    """Set SQLite's modes on each connection of ``engine``, and start its transactions ourselves.

    The driver's own way would leave DDL outside of transactions and begin late.

    Args:
        engine: The engine, before its first use.
        begin: ``BEGIN`` for reading, ``BEGIN IMMEDIATE`` for writing.
    """

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)
