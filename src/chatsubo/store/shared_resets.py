"""Resets of shared machines: announced to everyone, then carried out; kept as what was done."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.text import Text
from chatsubo.store.tables import accounts, boxes, shared_resets


class ResetState(StrEnum):
    """Where a reset of a shared machine stands."""

    ANNOUNCED = "announced"
    RESETTING = "resetting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (ResetState.ANNOUNCED, ResetState.RESETTING)


class SharedReset(Struct, frozen=True, kw_only=True):
    """One reset of one shared machine.

    Attributes:
        id: Which one.
        box_id: The box that the machine is of.
        provider: The provider that the machine is on.
        realm: The realm that it is in.
        template: The template that it is.
        asked_by: Who asked for it.
        asked_at: When.
        due_at: When it begins.
        state: Where it stands.
        stage: What happens now, in words for players.
        box: The box's name.
        box_slug: The box's address.
        for_everyone: Whether players see the box, and so are told of it.
        username: The name of who asked.
    """

    id: int
    box_id: int
    provider: str
    realm: str
    template: str
    asked_by: int
    asked_at: datetime
    due_at: datetime
    state: ResetState
    stage: Text | None
    box: str
    box_slug: str
    for_everyone: bool
    username: str


_COLUMNS = (
    *(shared_resets.c[name] for name in SharedReset.__struct_fields__[:10]),
    boxes.c.name,
    boxes.c.slug,
    boxes.c.released_at.is_not(None) & boxes.c.retired_at.is_(None) & boxes.c.deleted_at.is_(None),
    accounts.c.username,
)


async def insert_reset(tx: AsyncConnection, **columns: Any) -> int:
    """Add a reset that is announced, and return its id.

    Raises:
        IntegrityError: If another one of the machine is announced or under way.
    """
    query = insert(shared_resets).values(state=ResetState.ANNOUNCED, **columns).returning(shared_resets.c.id)
    return int((await tx.execute(query)).scalar_one())


async def live_resets(tx: AsyncConnection, template: str) -> tuple[SharedReset, ...]:
    """Return the resets of a template's machines that are announced or under way, whichever box they were asked for."""
    return await _read(tx, shared_resets.c.template == template, shared_resets.c.state.in_(LIVE))


async def due_resets(tx: AsyncConnection, now: datetime) -> tuple[SharedReset, ...]:
    """Return the resets that should be under way, oldest first; some may be since an earlier process."""
    return await _read(tx, shared_resets.c.state.in_(LIVE), shared_resets.c.due_at <= now)


async def get_reset(tx: AsyncConnection, reset_id: int) -> SharedReset:
    """Return a reset, with its box as that is now."""
    (reset,) = await _read(tx, shared_resets.c.id == reset_id)
    return reset


async def last_asked(tx: AsyncConnection, account_id: int) -> datetime | None:
    """Return when the account last asked for a reset; ``None`` if it never did."""
    query = select(shared_resets.c.asked_at).where(shared_resets.c.asked_by == account_id)
    asked_at: datetime | None = (await tx.execute(query.order_by(shared_resets.c.asked_at.desc()).limit(1))).scalar()
    return asked_at


async def hasten_reset(tx: AsyncConnection, reset_id: int, now: datetime) -> bool:
    """Let an announced reset begin now, and say whether it was still announced."""
    return await _change(tx, reset_id, (ResetState.ANNOUNCED,), due_at=now)


async def cancel_reset(tx: AsyncConnection, reset_id: int, now: datetime) -> bool:
    """Call an announced reset off, and say whether it was still announced."""
    return await _change(tx, reset_id, (ResetState.ANNOUNCED,), state=ResetState.CANCELLED, ended_at=now)


async def begin_reset(tx: AsyncConnection, reset_id: int) -> bool:
    """Say that a reset is under way now, and whether it was not called off meanwhile."""
    return await _change(tx, reset_id, LIVE, state=ResetState.RESETTING)


async def write_reset_stage(tx: AsyncConnection, reset_id: int, stage: Text) -> bool:
    """Say what a reset that is under way does now."""
    return await _change(tx, reset_id, (ResetState.RESETTING,), stage=stage.to_json())


async def end_reset(
    tx: AsyncConnection, reset_id: int, now: datetime, failure: Text | None = None, detail: str | None = None
) -> bool:
    """Write down how a reset that was under way ended, and say whether nobody had before."""
    return await _change(
        tx,
        reset_id,
        (ResetState.RESETTING,),
        state=ResetState.DONE if failure is None else ResetState.FAILED,
        stage=None,
        ended_at=now,
        failure=None if failure is None else failure.to_json(),
        failure_detail=detail,
    )


async def _change(tx: AsyncConnection, reset_id: int, states: Collection[ResetState], **columns: Any) -> bool:
    query = update(shared_resets).where(shared_resets.c.id == reset_id, shared_resets.c.state.in_(states))
    return (await tx.execute(query.values(**columns))).rowcount == 1


async def _read(tx: AsyncConnection, *conditions: ColumnElement[bool]) -> tuple[SharedReset, ...]:
    query = (
        select(*_COLUMNS)
        .join(boxes, boxes.c.id == shared_resets.c.box_id)
        .join(accounts, accounts.c.id == shared_resets.c.asked_by)
        .where(*conditions)
        .order_by(shared_resets.c.id)
    )
    rows = await tx.execute(query)
    return tuple(
        msgspec.convert(dict(zip(SharedReset.__struct_fields__, row, strict=True)), SharedReset) for row in rows
    )
