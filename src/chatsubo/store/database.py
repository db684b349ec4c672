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
from chatsubo.store.sqlite import configure

READERS = 4
BUSY_SECONDS = 15
_FULL = ("database or disk is full", "no space left on device", "disk i/o error")


class Database:
    """Where everything is kept.

    All access goes through :meth:`read` and :meth:`write`. Errors tell no values: those may be flags and password
    hashes, and end in the log. On SQLite there is one writing connection, taken in turn,
    so that a transaction never fails because another one wrote in between; reading connections see the last commit.
    """

    def __init__(self, reading: AsyncEngine, writing: AsyncEngine) -> None:
        self._reading = reading
        self._writing = writing
        self._turn = asyncio.Lock() if reading is not writing else None

    @classmethod
    def open(cls, url: str) -> Self:
        """Return the database at ``url`` (``sqlite:///PATH`` or ``postgresql://...``). Connects at the first use."""
        target = make_url(url)
        if target.get_backend_name() == "sqlite":
            target = target.set(drivername="sqlite+aiosqlite")
            return cls(_sqlite(target, READERS, "BEGIN"), _sqlite(target, 1, "BEGIN IMMEDIATE"))
        engine = create_async_engine(
            target.set(drivername="postgresql+asyncpg"), pool_size=10, pool_pre_ping=True, hide_parameters=True
        )
        return cls(engine, engine)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one consistent state. Nothing may be written on it.

        Raises:
            Unavailable: If the database does not answer.
        """
        with _told_plainly():
            async with self._reading.connect() as connection:
                yield connection

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
                yield await stack.enter_async_context(self._writing.begin())

    async def aclose(self) -> None:
        """Close all connections."""
        await self._reading.dispose()
        if self._writing is not self._reading:
            await self._writing.dispose()


def _sqlite(url: URL, size: int, begin: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS},
    )

    configure(engine.sync_engine, begin)
    return engine


@contextlib.contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if any(words in str(error.orig).lower() for words in _FULL):
            raise StorageFull from error
        raise Unavailable from error
    except PoolTimeout as error:
        raise Unavailable from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable from error
        raise
