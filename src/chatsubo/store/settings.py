"""Queries on settings: values that the platform, or an organiser, keeps by name."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import settings
from chatsubo.store.upsert import put_row


async def read_setting(tx: AsyncConnection, key: str) -> Any:
    """Return a setting's value, or ``None``."""
    return (await tx.execute(select(settings.c.value).where(settings.c.key == key))).scalar_one_or_none()


async def write_setting(tx: AsyncConnection, key: str, value: Any) -> None:
    """Set a setting."""
    await put_row(tx, settings, key=key, value=value)
