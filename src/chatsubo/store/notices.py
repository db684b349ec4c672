"""Queries on notices."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.text import Text
from chatsubo.store.tables import notices


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
