"""How sessions change. Every change of the worker holds for one generation only: a newer intent makes it void."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.flags import MAX_LENGTH, digest
from chatsubo.domain.labels import Creds, Flag
from chatsubo.domain.sessions import Event, State, Verb, transition
from chatsubo.domain.text import Text
from chatsubo.store.machines import Endpoint, Machine
from chatsubo.store.sessions import COLUMNS, Session, read_session
from chatsubo.store.tables import session_flags, sessions

MAX_NAME = 64


async def insert_session(tx: AsyncConnection, **columns: Any) -> None:
    """Add a session.

    Raises:
        IntegrityError: If its account has a live one of its box in its realm.
    """
    await tx.execute(insert(sessions).values(**columns))


async def _change(tx: AsyncConnection, session: Session, **columns: Any) -> bool:
    """Change the session if it is still of that generation, and say whether it was."""
    query = update(sessions).where(sessions.c.id == session.id, sessions.c.generation == session.generation)
    return (await tx.execute(query.values(**columns))).rowcount == 1


async def set_intent(
    tx: AsyncConnection,
    session: Session,
    *,
    state: State,
    verb: Verb,
    stage: Text,
    now: datetime,
    failure: Text | None = None,
) -> bool:
    """Commit what the worker is to do next; it voids whatever is under way. Say whether the session was unchanged.

    Args:
        tx: A writing transaction.
        session: As it was read in this transaction.
        state: The state meanwhile.
        verb: What to do.
        stage: The sentence for the player meanwhile.
        now: The present moment.
        failure: Why the worker ends it, where it does.
    """
    changed = {"failure": failure.to_json()} if failure is not None else {}
    return await _change(
        tx,
        session,
        state=state,
        verb=verb,
        generation=session.generation + 1,
        asked_at=now,
        admitted_at=None,
        stage=stage.to_json(),
        **changed,
    )


async def renew_intent(tx: AsyncConnection, session_id: str, generation: int) -> bool:
    """Raise the generation of an intent whose workflow ended without carrying it out, so that a new one may."""
    query = update(sessions).where(sessions.c.id == session_id, sessions.c.generation == generation)
    return (await tx.execute(query.values(generation=generation + 1))).rowcount == 1


async def end_queued(tx: AsyncConnection, session: Session, now: datetime) -> bool:
    """End a session of which nothing exists yet."""
    return await _end(tx, session, transition(session.state, Event.ASK_STOP), now)


async def finish_stop(tx: AsyncConnection, session: Session, now: datetime) -> bool:
    """Commit that nothing is left of a session: one that failed stays failed, any other is stopped."""
    failed = session.state is State.FAILED
    return await _end(tx, session, State.FAILED if failed else transition(session.state, Event.STOP_DONE), now)


async def _end(tx: AsyncConnection, session: Session, state: State, now: datetime) -> bool:
    return await _change(
        tx,
        session,
        state=state,
        verb=None,
        stage=None,
        admitted_at=None,
        ended_at=session.ended_at or now,
        values={"SESSION": session.id},  # the others are of no use any more; the flags are kept in session_flags
    )


async def fail(tx: AsyncConnection, session: Session, failure: Text, detail: str, now: datetime) -> bool:
    """Commit that a session failed, and that what may be left of its machine is to be removed."""
    return await _change(
        tx,
        session,
        state=transition(session.state, Event.FAIL),
        verb=Verb.STOP,
        generation=session.generation + 1,
        asked_at=now,
        admitted_at=None,
        ended_at=now,
        stage=None,
        failure=failure.to_json(),
        failure_detail=detail,
    )


class Outcome(Struct, frozen=True, kw_only=True):
    """What a start or a reset gave: the machine as it is now."""

    address: str | None
    readiness: str
    endpoints: tuple[Endpoint, ...]
    machines: tuple[Machine, ...]
    creds: tuple[Creds, ...]
    flags: tuple[Flag, ...]

    def columns(self) -> dict[str, Any]:
        """Return all but the flags as columns of the session."""
        plain = ("endpoints", "machines", "creds")
        return {"address": self.address, "readiness": self.readiness} | {
            name: msgspec.to_builtins(getattr(self, name)) for name in plain
        }


async def finish_start(tx: AsyncConnection, session: Session, outcome: Outcome, now: datetime) -> bool:
    """Commit that the machine runs, and from when on its time counts; or after a reset that it runs again."""
    event = Event.RESET_DONE if session.verb is Verb.RESET else Event.STARTED
    changed = await _change(
        tx,
        session,
        state=transition(session.state, event),
        verb=None,
        admitted_at=None,
        stage=None,
        failure=None,
        failure_detail=None,
        ready_at=session.ready_at or now,
        expires_at=session.expires_at or now + timedelta(minutes=session.duration),
        **outcome.columns(),
    )
    if changed:
        await _give_flags(tx, session.id, outcome.flags)
    return changed


async def keep_running(tx: AsyncConnection, session: Session, stage: Text, failure: Text, detail: str) -> bool:
    """Commit that a reset failed and the machine is there all the same."""
    return await _change(
        tx,
        session,
        state=transition(session.state, Event.RESET_DONE),
        verb=None,
        admitted_at=None,
        stage=stage.to_json(),
        failure=failure.to_json(),
        failure_detail=detail,
    )


async def write_stage(tx: AsyncConnection, session: Session, stage: Text | None) -> bool:
    """Say what happens now; ``False`` tells that a newer intent made that void."""
    return await _change(tx, session, stage=None if stage is None else stage.to_json())


async def refresh_machines(
    tx: AsyncConnection,
    session: Session,
    *,
    address: str | None,
    endpoints: Sequence[Endpoint],
    machines: Sequence[Machine],
    stage: Text | None,
) -> bool:
    """Keep what a listing told of a running session's machine."""
    return await _change(
        tx,
        session,
        address=address,
        endpoints=msgspec.to_builtins(tuple(endpoints)),
        machines=msgspec.to_builtins(tuple(machines)),
        stage=None if stage is None else stage.to_json(),
    )


async def extend(tx: AsyncConnection, session: Session, expires_at: datetime) -> bool:
    """Give a session more time."""
    return await _change(tx, session, expires_at=expires_at, extensions=session.extensions + 1)


async def shift_expiries(tx: AsyncConnection, by: timedelta, ready_before: datetime) -> int:
    """Move the end of all live sessions that were ready before a moment, and return how many there were.

    Args:
        tx: A writing transaction.
        by: How far the clock jumped.
        ready_before: Sessions that were ready later than this were timed by the new clock already.
    """
    query = select(sessions.c.id, sessions.c.expires_at).where(
        sessions.c.ended_at.is_(None), sessions.c.expires_at.is_not(None), sessions.c.ready_at <= ready_before
    )
    rows = (await tx.execute(query.order_by(sessions.c.id).with_for_update())).all()
    for row in rows:
        await tx.execute(update(sessions).where(sessions.c.id == row.id).values(expires_at=row.expires_at + by))
    return len(rows)


async def expired_sessions(tx: AsyncConnection, now: datetime, *, lock: bool = False) -> tuple[Session, ...]:
    """Return the sessions whose time is up and whose end was not asked for yet, by their ids."""
    query = (
        select(*COLUMNS)
        .where(
            sessions.c.ended_at.is_(None),
            sessions.c.expires_at <= now,
            sessions.c.state.in_([State.RUNNING, State.RESETTING]),
        )
        .order_by(sessions.c.id)
    )
    return tuple(read_session(row) for row in await tx.execute(query.with_for_update() if lock else query))


async def _give_flags(tx: AsyncConnection, session_id: str, flags: Iterable[Flag]) -> None:
    """Keep the values that the machine really has. What is too long could not be submitted either."""
    kept = {flag.name.lower(): flag.value.strip() for flag in flags if flag.value.strip()}
    rows = [
        {"session_id": session_id, "name": name, "value": value, "digest": digest(value)}
        for name, value in kept.items()
        if len(name) <= MAX_NAME and len(value) <= MAX_LENGTH
    ]
    await tx.execute(delete(session_flags).where(session_flags.c.session_id == session_id))
    if rows:
        await tx.execute(insert(session_flags), rows)
