"""Rows that nobody needs any more."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import logins, rate_limits


async def remove_expired(tx: AsyncConnection, now: datetime) -> int:
    """Remove logins and counts of rate limits whose time has passed, and return how many there were."""
    removed = 0
    for table in (logins, rate_limits):
        removed += (await tx.execute(delete(table).where(table.c.expires_at <= now))).rowcount
    return removed
