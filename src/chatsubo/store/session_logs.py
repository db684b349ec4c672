"""The output of builds and starts, kept for organisers."""

from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import session_logs
from chatsubo.store.upsert import put_row


async def write_log(tx: AsyncConnection, session_id: str, output: str) -> None:
    """Keep ``output`` as the session's whole log."""
    await put_row(tx, session_logs, session_id=session_id, output=output)
