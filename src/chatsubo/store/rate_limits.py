"""Queries on the counters that limit tries."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import rate_limits
from chatsubo.store.upsert import insertion


async def count_try(tx: AsyncConnection, *, key: str, window: int, expires_at: datetime) -> int:
    """Count one more try in a time window, and return how many there are now. Atomic, whatever races."""
    first = insertion(tx, rate_limits).values(key=key, window=window, count=1, expires_at=expires_at)
    one_more = first.on_conflict_do_update(
        index_elements=[rate_limits.c.key, rate_limits.c.window], set_={"count": rate_limits.c.count + 1}
    )
    return int((await tx.execute(one_more.returning(rate_limits.c.count))).scalar_one())
