"""What nobody needs any more goes, and nothing else."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from chatsubo.store.database import Database
from chatsubo.store.leftovers import LOGS_KEPT, remove_expired
from chatsubo.store.sessions import read_log
from chatsubo.store.tables import session_logs, sessions

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


async def add_session(db: Database, name: str, ended_at: datetime | None) -> None:
    async with db.write() as tx:
        row = {"id": name, "provider": "lab", "realm": "wz01", "template": "web", "generation": 1, "values": {}}
        moments = {"asked_at": NOW, "created_at": NOW, "ended_at": ended_at}
        state = "running" if ended_at is None else "stopped"
        await tx.execute(insert(sessions).values(**row, **moments, state=state, duration=60))
        await tx.execute(insert(session_logs).values(session_id=name, output="built"))


async def test_the_output_of_sessions_that_ended_long_ago_is_removed(db: Database) -> None:
    await add_session(db, "running", None)
    await add_session(db, "recent", NOW - LOGS_KEPT + timedelta(minutes=1))
    await add_session(db, "old", NOW - LOGS_KEPT - timedelta(minutes=1))
    async with db.write() as tx:
        assert await remove_expired(tx, NOW) == 1
    async with db.read() as tx:
        assert [await read_log(tx, name) for name in ("running", "recent", "old")] == ["built", "built", ""]
