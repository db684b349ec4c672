"""Outcomes that must be written down."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.errors import Unavailable
from chatsubo.store.database import Database

FIRST_WAIT = 0.2
LONGEST_WAIT = 5.0

log = structlog.get_logger(__name__)


async def committed(db: Database, change: Callable[[AsyncConnection], Awaitable[bool]]) -> bool:
    """Commit ``change``, and return what it says.

    It is tried for as long as the database does not take it, since its disk may be full.
    """
    wait = FIRST_WAIT
    while True:
        try:
            async with db.write() as tx:
                return await change(tx)
        except Unavailable as error:
            log.error("outcome.unwritten", reason=str(error), retry_in=wait)  # noqa: TRY400
        await asyncio.sleep(wait)
        wait = min(LONGEST_WAIT, 2 * wait)
