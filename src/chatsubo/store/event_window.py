"""Queries on when the event is."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.event import Window
from chatsubo.store.settings import read_setting, write_setting

EVENT = "event"
"""The setting; without it the event is always."""


async def read_window(tx: AsyncConnection) -> Window:
    """Return when the event is."""
    kept = await read_setting(tx, EVENT) or {}
    opens_at, closes_at = kept.get("opens_at"), kept.get("closes_at")
    return Window(opens_at and datetime.fromisoformat(opens_at), closes_at and datetime.fromisoformat(closes_at))


async def write_window(tx: AsyncConnection, window: Window) -> None:
    """Set when the event is."""
    moments = {"opens_at": window.opens_at, "closes_at": window.closes_at}
    await write_setting(tx, EVENT, {name: at and at.isoformat() for name, at in moments.items()})
