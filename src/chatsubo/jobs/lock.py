"""One engine per system database: a second one would run the same workflows at the same time."""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import Any, ClassVar, Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from chatsubo.domain.errors import Conflict
from chatsubo.domain.text import N_
from chatsubo.jobs.engines import open_engine

_KEY = 0x63686174  # any number that nobody else uses in this PostgreSQL database: "chat"
_TRIES, _TRY_EVERY = 40, 0.05
_ITSELF = text("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
_END = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :pid AND backend_start = :backend_start"
)

_HELD = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = :key AND objsubid = 1"
    " AND classid = 0 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class EngineInUse(Conflict):
    """Another process runs the durable engine on the same database."""

    code: ClassVar[str] = "engine-in-use"
    message: ClassVar[str] = N_("Another Chatsubo server runs on this database ({database}). Stop it first.")


class EngineLock(Protocol):
    """Held for as long as the engine runs; the end of the process, however it comes, lets it go."""

    def keep(self) -> None:
        """See that it is still held; take it again where it was lost. Blocks.

        Raises:
            EngineInUse: If it was lost, and another engine holds it now.
            SQLAlchemyError: If the database cannot be reached.
        """

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


def is_held(url: str) -> bool:
    """Say whether an engine runs on the system database at ``url``. Makes nothing; blocks.

    Raises:
        SQLAlchemyError, OSError: If that cannot be seen.
    """
    target = make_url(url)
    if target.get_backend_name() == "sqlite":
        return _file_is_held(f"{target.database}.lock")
    engine = open_engine(target)
    try:
        with engine.connect() as connection:
            return bool(connection.scalar(_HELD, {"key": _KEY}))
    finally:
        engine.dispose()


def _file_is_held(path: str) -> bool:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # It is held for a moment itself: there is no way to ask only.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


class FileLock:
    """A lock on a file beside an SQLite database (flock(2): the kernel lets it go when the process ends)."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise EngineInUse(database=str(path.with_suffix(""))) from None

    def keep(self) -> None:
        """Do nothing: the kernel takes it from no living process."""

    def release(self) -> None:
        """Let another engine run; the file stays, since removing it would race with the next one's lock."""
        os.close(self._file)


class ServerLock:
    """A session-level advisory lock in PostgreSQL, on a connection of its own; it is lost with that connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._holder: dict[str, Any] | None = None
        self._connection = self._take()

    def keep(self) -> None:
        """See that the connection lives; take the lock again on another one where it does not."""
        try:
            self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            if not self._connection.closed:
                # Never back into the pool: were it alive after all, it would keep the lock there from us.
                self._connection.invalidate()
                self._connection.close()
            self._connection = self._take()

    def release(self) -> None:
        """Let another engine run; a server that is gone has let go already."""
        with contextlib.suppress(SQLAlchemyError):
            self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _KEY})
        self._connection.close()

    def _take(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with contextlib.ExitStack() as undo:
            undo.callback(connection.close)
            holder = dict(connection.execute(_ITSELF).mappings().one())
            self._end_former(connection)
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY}):
                raise EngineInUse(database=self._engine.url.render_as_string(hide_password=True))
            undo.pop_all()
        self._holder = holder
        return connection

    def _end_former(self, connection: Connection) -> None:
        """End our own former connection, which a server may hold on to for hours when a network cut it off."""
        if self._holder is not None:
            for _ in range(_TRIES):
                if not connection.scalar(_END, self._holder):
                    return
                time.sleep(_TRY_EVERY)
