"""One engine per system database: a second one would run the same workflows at the same time."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import ClassVar, Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from chatsubo.domain.errors import Conflict
from chatsubo.domain.text import N_

_KEY = 0x63686174  # any number that nobody else uses in this PostgreSQL database: "chat"


class EngineInUse(Conflict):
    """Another process runs the durable engine on the same database."""

    code: ClassVar[str] = "engine-in-use"
    message: ClassVar[str] = N_("Another Chatsubo server runs on this database ({database}). Stop it first.")


class EngineLock(Protocol):
    """Held for as long as the engine runs; the end of the process, however it comes, lets it go."""

    def release(self) -> None:
        """Let another engine run."""


def lock_for(engine: Engine) -> EngineLock:
    """Take the lock of the system database.

    Raises:
        EngineInUse: If another engine holds it.
        SQLAlchemyError, OSError: If the database or its folder cannot be reached.
    """
    if engine.dialect.name == "sqlite":
        return FileLock(Path(f"{engine.url.database}.lock"))
    return ServerLock(engine)


class FileLock:
    """A lock on a file beside an SQLite database (flock(2): the kernel lets it go when the process ends)."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise EngineInUse(database=str(path.with_suffix(""))) from None

    def release(self) -> None:
        """Let another engine run; the file stays, since removing it would race with the next one's lock."""
        os.close(self._file)


class ServerLock:
    """A session-level advisory lock in PostgreSQL, on a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        self._connection: Connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if not self._connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY}):
            self._connection.close()
            raise EngineInUse(database=engine.url.render_as_string(hide_password=True))

    def release(self) -> None:
        """Let another engine run; a server that is gone has let go already."""
        with contextlib.suppress(SQLAlchemyError):
            self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _KEY})
        self._connection.close()
