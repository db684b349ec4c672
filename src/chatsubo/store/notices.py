"""Queries on notices and on settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.text import Text
from chatsubo.store.tables import notices, settings


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it is read."""

    id: int
    kind: str
    text: Mapping[str, Any]
    link: str | None
    at: datetime


async def insert_notice(
    tx: AsyncConnection, *, account_id: int | None, kind: str, text: Text, link: str | None, at: datetime
) -> int:
    """Insert a notice for one account, or with ``None`` for everyone, and return its id."""
    values = {"account_id": account_id, "kind": kind, "text": text.to_json(), "link": link, "at": at}
    return int((await tx.execute(insert(notices).values(values).returning(notices.c.id))).scalar_one())


async def recent_notices(tx: AsyncConnection, account_id: int, limit: int) -> list[Notice]:
    """Return the newest notices that the account may see."""
    statement = (
        select(*(notices.c[name] for name in Notice.__slots__))
        .where(or_(notices.c.account_id.is_(None), notices.c.account_id == account_id))
        .order_by(notices.c.id.desc())
        .limit(limit)
    )
    return [Notice(*row) for row in await tx.execute(statement)]


async def read_setting(tx: AsyncConnection, key: str) -> Any:
    """Return a setting's value, or ``None``."""
    return (await tx.execute(select(settings.c.value).where(settings.c.key == key))).scalar_one_or_none()


async def write_setting(tx: AsyncConnection, key: str, value: Any) -> None:
    """Set a setting."""
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(settings).values(key=key, value=value)
    await tx.execute(
        statement.on_conflict_do_update(index_elements=[settings.c.key], set_={"value": statement.excluded.value})
    )
