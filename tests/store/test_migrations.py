"""The migrations make the schema that the tables describe."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, insert, text

from chatsubo.domain.flags import digest
from chatsubo.lab.intents import open_session
from chatsubo.store.accounts import account_by_id
from chatsubo.store.database import Database
from chatsubo.store.migrations import newest, revision, upgrade
from chatsubo.store.sessions import owner_of_value
from chatsubo.store.tables import logins, metadata, session_flags
from tests.lab.world import furnish


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


async def test_a_migrated_database_has_the_tables_as_they_are_written(db: Database) -> None:
    async with db.read() as tx:
        assert await tx.run_sync(_differences) == []


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(database_url: str) -> None:
    assert upgrade(database_url) == (newest(), newest())


async def test_values_that_an_older_version_kept_are_recognised_in_another_case(
    db: Database, database_url: str
) -> None:
    await furnish(db)
    async with db.write() as tx:
        order: dict[str, Any] = {
            "template": "hello",
            "provider": "lab",
            "realm": "wz01",
            "duration": 60,
            "prefix": "WZ",
        }
        session_id = await open_session(tx, account_id=1, box_id=1, now=datetime(2026, 11, 23, tzinfo=UTC), **order)
        rows = [{"session_id": session_id, "name": name, "value": f"WZ{{{name}}}", "digest": ""} for name in ("a", "b")]
        await tx.execute(insert(session_flags), rows)
        for table in ("gate_connections", "gate_pictures", "gate_reports"):  # what came later
            await tx.execute(text(f"DROP TABLE {table}"))
        await tx.execute(text("ALTER TABLE gate_bindings DROP COLUMN cut_off_at"))
        for column in ("seen_at", "banned_at", "ban_reason"):
            await tx.execute(text(f"ALTER TABLE accounts DROP COLUMN {column}"))
        await tx.execute(text("UPDATE alembic_version SET version_num = '0002'"))

    assert upgrade(database_url) == ("0002", newest())

    async with db.read() as tx:
        assert await owner_of_value(tx, digest("wz{B}"), excluding=2) == 1


async def test_when_an_account_was_last_seen_is_taken_from_its_logins(db: Database, database_url: str) -> None:
    await furnish(db)
    seen = datetime(2026, 11, 23, 12, tzinfo=UTC)
    async with db.write() as tx:
        for day in (0, 1):
            at = seen - timedelta(days=day)
            row = {"digest": f"{day}", "account_id": 1, "created_at": at, "seen_at": at, "expires_at": seen}
            await tx.execute(insert(logins).values(**row, address="", browser=""))
        for column in ("seen_at", "banned_at", "ban_reason"):
            await tx.execute(text(f"ALTER TABLE accounts DROP COLUMN {column}"))
        await tx.execute(text("UPDATE alembic_version SET version_num = '0004'"))

    assert upgrade(database_url) == ("0004", newest())

    async with db.read() as tx:
        found = [await account_by_id(tx, account_id) for account_id in (1, 2)]
    assert [one and one.seen_at for one in found] == [seen, None]


def test_a_new_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        upgrade(f"sqlite:///{tmp_path / 'chatsubo.db'}")
    finally:
        os.umask(before)

    assert {oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {"0o600"}


def test_looking_at_a_database_that_is_not_there_makes_none(tmp_path: Path) -> None:
    assert revision(f"sqlite:///{tmp_path / 'none.db'}") is None
    assert list(tmp_path.iterdir()) == []
