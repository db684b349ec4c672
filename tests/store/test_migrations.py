"""The migrations make the schema that the tables describe."""

import os
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from chatsubo.store.database import Database
from chatsubo.store.migrations import newest, revision, upgrade
from chatsubo.store.tables import metadata


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


async def test_a_migrated_database_has_the_tables_as_they_are_written(db: Database) -> None:
    async with db.read() as tx:
        assert await tx.run_sync(_differences) == []


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(database_url: str) -> None:
    assert upgrade(database_url) == (newest(), newest())


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
