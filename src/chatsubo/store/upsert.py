"""Insertions that say what to do where the row is there already. Atomic, whatever races, on both databases."""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insertion(tx: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an ``insert`` that has ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    return sqlite.insert(table) if tx.dialect.name == "sqlite" else postgresql.insert(table)


async def put_row(tx: AsyncConnection, table: Table, **columns: Any) -> None:
    """Insert a row, or change the ``columns`` of the one that has the same primary key."""
    key = [column.name for column in table.primary_key]
    row = insertion(tx, table).values(**columns)
    changed = {name: row.excluded[name] for name in columns if name not in key}
    await tx.execute(row.on_conflict_do_update(index_elements=key, set_=changed))
