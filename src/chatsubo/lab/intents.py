"""What players and organisers ask of a session: committed as an intent, and carried out by the worker afterwards.

Each function writes in the caller's transaction. Call :meth:`chatsubo.lab.Lab.wake` once it is committed; were that
forgotten, or the process killed in between, the sweep would find the intent within a second.
"""

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.errors import AlreadyRunning, ExtensionsUsedUp, NotFound
from chatsubo.domain.sessions import Event, State, Verb, busy, transition
from chatsubo.domain.text import N_, Text
from chatsubo.domain.values import make_values
from chatsubo.store import session_changes as changes
from chatsubo.store.sessions import Session, get_session

WAITING = N_("Waiting for a free place")
STOPPING = N_("Stopping the machine")


async def open_session(
    tx: AsyncConnection,
    *,
    account_id: int,
    box_id: int,
    template: str,
    provider: str,
    realm: str,
    duration: int,
    prefix: str,
    now: datetime,
) -> str:
    """Ask for a new session, and return its id. It is queued; the worker admits and starts it.

    Args:
        tx: A writing transaction.
        account_id: Whose it will be.
        box_id: Of which box.
        template: The box's template.
        provider: The provider to start it on; :func:`chatsubo.lab.placement.place` chooses one.
        realm: The realm to start it in.
        duration: Minutes that it lasts once it runs.
        prefix: The provider's ``flag_prefix``.
        now: The present moment.

    Raises:
        AlreadyRunning: If the account has a live session of this box in this realm. Nothing was written; the
            transaction can go on.
    """
    session_id = str(uuid4())
    try:
        async with tx.begin_nested():
            await changes.insert_session(
                tx,
                id=session_id,
                account_id=account_id,
                box_id=box_id,
                provider=provider,
                realm=realm,
                template=template,
                state=State.QUEUED,
                generation=1,
                verb=Verb.START,
                asked_at=now,
                created_at=now,
                values=make_values(session_id, prefix),
                duration=duration,
                stage=Text(WAITING).to_json(),
            )
    except IntegrityError as error:
        if _says_already_live(error):
            raise AlreadyRunning from error
        raise
    return session_id


async def ask_stop(tx: AsyncConnection, session_id: str, now: datetime) -> Session:
    """Ask for the end of a session, and return it as it was. One that is still queued ends at once.

    Raises:
        NotFound: If there is no such session.
        Busy: If it has ended.
    """
    session = await _locked(tx, session_id)
    following = transition(session.state, Event.ASK_STOP)
    if following is State.STOPPED:
        await changes.end_queued(tx, session, now)
    elif session.state is not State.STOPPING:
        await changes.set_intent(tx, session, state=following, verb=Verb.STOP, stage=Text(STOPPING), now=now)
    return session


async def ask_reset(tx: AsyncConnection, session_id: str, now: datetime) -> Session:
    """Ask for a session's machine to be brought back to its initial state, and return the session as it was.

    Raises:
        NotFound: If there is no such session.
        Busy: If it does not run just now.
    """
    session = await _locked(tx, session_id)
    following = transition(session.state, Event.ASK_RESET)
    await changes.set_intent(tx, session, state=following, verb=Verb.RESET, stage=Text(WAITING), now=now)
    return session


async def extend(tx: AsyncConnection, session_id: str, *, minutes: int, limit: int, now: datetime) -> datetime:
    """Give a running session ``minutes`` more, and return when it ends then.

    Args:
        tx: A writing transaction.
        session_id: Which session.
        minutes: How many more.
        limit: How often a session may be extended.
        now: The present moment.

    Raises:
        NotFound: If there is no such session.
        Busy: If it does not run, or its time is up already.
        ExtensionsUsedUp: If it was extended ``limit`` times.
    """
    session = await _locked(tx, session_id)
    if session.state not in (State.RUNNING, State.RESETTING) or session.expires_at is None:
        raise busy(session.state)
    if session.expires_at <= now:
        raise busy(State.STOPPING)
    if session.extensions >= limit:
        raise ExtensionsUsedUp(limit=limit)
    expires_at = session.expires_at + timedelta(minutes=minutes)
    await changes.extend(tx, session, expires_at)
    return expires_at


async def _locked(tx: AsyncConnection, session_id: str) -> Session:
    session = await get_session(tx, session_id, lock=True)
    if session is None:
        raise NotFound
    return session


def _says_already_live(error: IntegrityError) -> bool:
    """Say whether it was the index over live sessions; PostgreSQL names the index, SQLite its columns."""
    words = str(error.orig)
    return "uq_sessions_live" in words or all(f"sessions.{column}" in words for column in ("account_id", "box_id"))
