"""The database: one writer and several readers on SQLite, a pool on PostgreSQL."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Self

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from chatsubo.domain.errors import StorageFull, Unavailable
from chatsubo.store.sqlite import Connection, Threads, configure

READERS = 4
BUSY_SECONDS = 15
ENDING_SECONDS = 5.0
_FULL = ("database or disk is full", "disk i/o error")
_FULL_STATE = "53100"
_AWAY_STATES = ("08", "40", "53", "57", "58")
"""Classes of PostgreSQL's error codes: connections, rollbacks (deadlocks), resources, shutdowns, its system.

From appendix A of its manual.
"""


class Database:
    """Where everything is kept.

    All access goes through :meth:`read` and :meth:`write`. Errors tell no values: those may be flags and password
    hashes, and end in the log. On SQLite there is one writing connection, taken in turn,
    so that a transaction never fails because another one wrote in between; reading connections see the last commit.
    """

    def __init__(self, reading: AsyncEngine, writing: AsyncEngine) -> None:
        self._reading = reading
        self._writing = writing
        embedded = writing.dialect.name == "sqlite"
        self._turn = asyncio.Lock() if embedded else None
        self._threads = [Threads(one.sync_engine) for one in (reading, writing)] if embedded else []

    @classmethod
    def open(cls, url: str) -> Self:
        """Return the database at ``url`` (``sqlite:///PATH`` or ``postgresql://...``). Connects at the first use."""
        target = make_url(url)
        if target.get_backend_name() == "sqlite":
            target = target.set(drivername="sqlite+aiosqlite")
            return cls(_sqlite(target, READERS, writing=False), _sqlite(target, 1, writing=True))
        engine = create_async_engine(
            target.set(drivername="postgresql+asyncpg"), pool_size=10, pool_pre_ping=True, hide_parameters=True
        )
        return cls(engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True), engine)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one consistent state, and can write nothing.

        Raises:
            Unavailable: If the database does not answer.
        """
        with _told_plainly():
            async with contextlib.AsyncExitStack() as stack:
                yield await _connected(stack, self._reading.connect())

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction: committed at the end, rolled back on an error.

        Keep it short: no call to anything else may happen inside.

        Raises:
            StorageFull: If the disk is full; nothing of the transaction was kept.
            Unavailable: If the database does not answer.
        """
        with _told_plainly():
            async with contextlib.AsyncExitStack() as stack:
                if self._turn is not None:
                    await stack.enter_async_context(self._turn)
                yield await _connected(stack, self._writing.begin())

    async def aclose(self) -> None:
        """Close all connections, also those of transactions that were just cancelled."""
        await self._reading.dispose()
        await self._writing.dispose()
        for threads in self._threads:
            await asyncio.to_thread(threads.wait, ENDING_SECONDS)


def _sqlite(url: URL, size: int, *, writing: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS, "factory": Connection},
    )
    configure(engine.sync_engine, writing=writing)
    return engine


async def _connected(
    stack: contextlib.AsyncExitStack, connecting: contextlib.AbstractAsyncContextManager[AsyncConnection]
) -> AsyncConnection:
    try:
        return await stack.enter_async_context(connecting)
    except OSError as error:  # a PostgreSQL that is away: what sockets say is not wrapped
        raise Unavailable from error


@contextlib.contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable from error
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None) or ""
        if state == _FULL_STATE or any(words in str(error.orig).lower() for words in _FULL):
            raise StorageFull from error
        if isinstance(error, OperationalError) or error.connection_invalidated or state.startswith(_AWAY_STATES):
            raise Unavailable from error
        raise
