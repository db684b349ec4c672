"""How the system database of the durable engine is opened."""

import contextlib
import os
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

_PATIENCE = {
    "connect_timeout": 10,
    "tcp_user_timeout": 20_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
"""How long psycopg waits for a server that a network cut off: else the system's two hours.

Seconds, but milliseconds for the second one (PostgreSQL's manual, "Parameter Key Words" of libpq).
"""


def open_engine(url: URL, connections: int = 1) -> Engine:
    """Return an engine for the system database.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql://...``; what it says of time limits holds.
        connections: How many are kept open to PostgreSQL.
    """
    if url.get_backend_name() != "sqlite":
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=connections,
            pool_pre_ping=True,
            connect_args={name: value for name, value in _PATIENCE.items() if name not in url.query},
        )
    _make_private(url.database)
    engine = create_engine(url.set(drivername="sqlite"))

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("busy_timeout=30000", "foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine


def _make_private(path: str | None) -> None:
    """Make the file of a database, for its owner alone. One that exists, or cannot be made, is left to SQLite."""
    if path:
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
