"""The output of builds and starts, kept for organisers."""

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import session_logs


async def write_log(tx: AsyncConnection, session_id: str, output: str) -> None:
    """Keep ``output`` as the session's whole log."""
    known = update(session_logs).where(session_logs.c.session_id == session_id).values(output=output)
    if (await tx.execute(known)).rowcount == 0:
        await tx.execute(insert(session_logs).values(session_id=session_id, output=output))
