"""Rows that nobody needs any more."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import logins, rate_limits, session_logs, sessions

LOGS_KEPT = timedelta(days=14)
"""How long the output of a session's builds and starts is kept after its end."""


async def remove_expired(tx: AsyncConnection, now: datetime) -> int:
    """Remove logins, counts of rate limits and output whose time has passed, and return how many there were."""
    ended = select(sessions.c.id).where(sessions.c.ended_at <= now - LOGS_KEPT)
    removed = (await tx.execute(delete(session_logs).where(session_logs.c.session_id.in_(ended)))).rowcount
    for table in (logins, rate_limits):
        removed += (await tx.execute(delete(table).where(table.c.expires_at <= now))).rowcount
    return removed
