"""The queue for places at providers: who waits, who is under way, who is next."""

from collections.abc import Collection, Mapping
from datetime import datetime
from statistics import median

import msgspec
from msgspec import Struct
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.queue import Waiting, in_turn
from chatsubo.domain.sessions import Event, State, Verb, transition
from chatsubo.domain.text import Text
from chatsubo.store.tables import sessions

RECENT_STARTS = 20
_PLACED = (Verb.START, Verb.RESET)


class Intent(Struct, frozen=True):
    """An intent that is not carried out yet.

    Attributes:
        session_id: Of which session.
        generation: Its generation.
        verb: What is to be done.
        provider: Where.
        account_id: Whose session it is.
        box_id: Of which box.
        admitted: Whether it may be carried out now; a stop always may.
        ended: Whether the session has ended, and only what is left of it is to be removed.
    """

    session_id: str
    generation: int
    verb: Verb
    provider: str
    account_id: int | None
    box_id: int | None
    admitted: bool
    ended: bool


class Place(Struct, frozen=True):
    """Where a session stands in the queue.

    Attributes:
        position: From 1, among those who wait at the same provider.
        waiting: How many wait there.
        seconds: How long until its machine runs, guessed from the last starts there; ``None`` without any.
    """

    position: int
    waiting: int
    seconds: int | None


async def pending_intents(tx: AsyncConnection) -> tuple[Intent, ...]:
    """Return all intents that are not carried out yet, oldest first."""
    columns = (
        sessions.c.id,
        *(sessions.c[name] for name in ("generation", "verb", "provider", "account_id", "box_id")),
        or_(sessions.c.verb == Verb.STOP, sessions.c.admitted_at.is_not(None)),
        sessions.c.ended_at.is_not(None),
    )
    query = select(*columns).where(sessions.c.verb.is_not(None)).order_by(sessions.c.asked_at, sessions.c.id)
    return tuple(
        msgspec.convert(dict(zip(Intent.__struct_fields__, row, strict=True)), Intent)
        for row in await tx.execute(query)
    )


async def admit(
    tx: AsyncConnection,
    provider: str,
    places: int,
    *,
    stages: Mapping[Verb, str],
    held: Collection[str] = (),
    now: datetime,
) -> frozenset[str]:
    """Give the free places of ``provider`` to those whose turn it is, and return their sessions' ids.

    The rows are locked before they are counted, so that two processes never hand out one place twice.

    Args:
        tx: A writing transaction.
        provider: Which provider.
        places: How many starts and resets may be under way there at once.
        stages: What to tell the player from now on, by what is to be done.
        held: Sessions that still hold a place although their intent says otherwise: starts being called off.
        now: The present moment.
    """
    order, under_way = await _line(tx, provider, lock=True)
    chosen = order[: max(0, places - len(under_way | set(held)))]
    admitted = transition(State.QUEUED, Event.ADMIT)
    for verb, state in ((Verb.START, admitted), (Verb.RESET, State.RESETTING)):
        of_verb = sessions.c.verb == verb
        await tx.execute(
            update(sessions)
            .where(sessions.c.id.in_(chosen), of_verb)
            .values(
                state=state,
                admitted_at=now,
                started_at=func.coalesce(sessions.c.started_at, now),
                stage=Text(stages[verb]).to_json(),
            )
        )
    return frozenset(chosen)


async def queue_position(tx: AsyncConnection, session_id: str) -> Place | None:
    """Return where a session stands in the queue, or ``None`` if it does not wait."""
    query = select(sessions.c.provider).where(sessions.c.id == session_id, sessions.c.admitted_at.is_(None))
    provider = (await tx.execute(query.where(sessions.c.verb.in_(_PLACED)))).scalar()
    if provider is None:
        return None
    order, under_way = await _line(tx, provider)
    if session_id not in order:
        return None
    position = order.index(session_id) + 1
    usual = await usual_seconds(tx, provider)
    seconds = None if usual is None else round(usual * (1 + position / max(1, len(under_way))))
    return Place(position, len(order), seconds)


async def usual_seconds(tx: AsyncConnection, provider: str) -> float | None:
    """Return how long the last starts at ``provider`` took, as their median in seconds; ``None`` without any."""
    query = (
        select(sessions.c.started_at, sessions.c.ready_at)
        .where(sessions.c.provider == provider, sessions.c.ready_at.is_not(None), sessions.c.started_at.is_not(None))
        .order_by(sessions.c.ready_at.desc())
        .limit(RECENT_STARTS)
    )
    took = [(row.ready_at - row.started_at).total_seconds() for row in await tx.execute(query)]
    return median(took) if took else None


async def _line(tx: AsyncConnection, provider: str, *, lock: bool = False) -> tuple[list[str], frozenset[str]]:
    """Return the sessions that wait at the provider, in their turn, and those that are under way there."""
    query = (
        select(sessions.c.id, sessions.c.account_id, sessions.c.asked_at, sessions.c.admitted_at)
        .where(sessions.c.provider == provider, sessions.c.verb.in_(_PLACED))
        .order_by(sessions.c.id)
    )
    rows = (await tx.execute(query.with_for_update() if lock else query)).all()
    waiting = [Waiting(row.id, row.account_id, row.asked_at) for row in rows if row.admitted_at is None]
    held = await _held(tx, {one.account_id for one in waiting if one.account_id is not None})
    order = [one.session_id for one in in_turn(waiting, held)]
    return order, frozenset(row.id for row in rows if row.admitted_at is not None)


async def _held(tx: AsyncConnection, account_ids: Collection[int]) -> dict[int | None, int]:
    """Return how many machines each account has, or is being made."""
    made = or_(
        sessions.c.state.in_([State.PROVISIONING, State.RUNNING]),
        and_(sessions.c.state == State.RESETTING, sessions.c.admitted_at.is_not(None)),
    )
    query = select(sessions.c.account_id, func.count()).where(made, sessions.c.account_id.in_(account_ids))
    return {row[0]: row[1] for row in await tx.execute(query.group_by(sessions.c.account_id))}
