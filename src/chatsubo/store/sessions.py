"""Sessions as they are read: one run of a dynamic box each."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.labels import Creds
from chatsubo.domain.sessions import ENDED, LIVE, State, Verb
from chatsubo.domain.text import Text
from chatsubo.store.machines import Endpoint, Machine
from chatsubo.store.tables import accounts, session_flags, session_logs, sessions


class Session(Struct, frozen=True, kw_only=True):
    """One run of a dynamic box; all that is kept of it but the values that it was given.

    Attributes:
        id: A UUID4.
        account_id: Whose it is; ``None`` until a player owns it.
        box_id: Which box; ``None`` likewise.
        provider: The provider that serves it.
        realm: The realm that it is in.
        template: The template that it is made from.
        state: Where it stands.
        generation: Raised with each intent.
        verb: The intent that is not done yet. A failed session whose remains are being removed has ``stop`` here.
        asked_at: When the intent was committed.
        admitted_at: When the intent was given a place at the provider; ``None`` while it waits for one.
        duration: Minutes that it lasts.
        created_at: When the player asked for it.
        started_at: When the provider was asked first.
        ready_at: When its machine was first ready.
        expires_at: When it ends; set once it runs.
        ended_at: When it ended.
        extensions: How often it was extended.
        stage: What happens now, in words for the player.
        failure: Why it failed, likewise.
        failure_detail: The technical reason, for organisers.
        address: The machine's (first) address.
        readiness: How it is known to be ready: ``healthy``, ``listening`` or ``started``.
        endpoints: The services that the player can connect to.
        machines: All of its machines; mostly the one.
        creds: The initial accesses that the player is given. Secrets.
    """

    id: str
    account_id: int | None
    box_id: int | None
    provider: str
    realm: str
    template: str
    state: State
    generation: int
    verb: Verb | None
    asked_at: datetime
    admitted_at: datetime | None
    duration: int
    created_at: datetime
    started_at: datetime | None
    ready_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None
    extensions: int
    stage: Text | None
    failure: Text | None
    failure_detail: str | None
    address: str | None
    readiness: str | None
    endpoints: tuple[Endpoint, ...]
    machines: tuple[Machine, ...]
    creds: tuple[Creds, ...]

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.state in LIVE


@dataclass(frozen=True, slots=True)
class GivenValue:
    """The value of a dynamic flag, as read back from a session's machine.

    Attributes:
        session_id: Which session.
        box_id: The session's box.
        name: The flag's name, lower-case.
        value: A secret.
    """

    session_id: str
    box_id: int
    name: str
    value: str = field(repr=False)


class MachineAddress(NamedTuple):
    """Where a player's machines are: no more than the picture of who may reach what needs.

    Attributes:
        account_id: Whose they are.
        realm: The realm that they are in.
        addresses: Addresses, names, and ``None`` for a machine whose address is unknown yet.
    """

    account_id: int
    realm: str
    addresses: tuple[str | None, ...]


COLUMNS = tuple(sessions.c[name] for name in Session.__struct_fields__)
_LIVE = and_(sessions.c.ended_at.is_(None), sessions.c.state.in_(sorted(LIVE)))
"""The moment of its end tells the same as the state, and is what the database finds the few live ones by."""


def read_session(row: Row[Any]) -> Session:
    """Return the session that ``row``, a selection of :data:`COLUMNS`, holds."""
    return msgspec.convert(dict(zip(Session.__struct_fields__, row, strict=True)), Session)


async def _one(tx: AsyncConnection, query: Select[Any]) -> Session | None:
    row = (await tx.execute(query.limit(1))).first()
    return None if row is None else read_session(row)


async def _all(tx: AsyncConnection, query: Select[Any]) -> tuple[Session, ...]:
    return tuple(read_session(row) for row in await tx.execute(query))


async def get_session(tx: AsyncConnection, session_id: str, *, lock: bool = False) -> Session | None:
    """Return the session, or ``None``.

    Args:
        tx: An open transaction.
        session_id: Its UUID4.
        lock: Let no other transaction change it until this one ends.
    """
    query = select(*COLUMNS).where(sessions.c.id == session_id)
    return await _one(tx, query.with_for_update() if lock else query)


async def live_sessions(
    tx: AsyncConnection, account_id: int | None = None, *, box_id: int | None = None
) -> tuple[Session, ...]:
    """Return all live sessions, or those of one account or of one box, oldest first."""
    query = select(*COLUMNS).where(_LIVE).order_by(sessions.c.created_at, sessions.c.id)
    if account_id is not None:
        query = query.where(sessions.c.account_id == account_id)
    if box_id is not None:
        query = query.where(sessions.c.box_id == box_id)
    return await _all(tx, query)


async def sessions_of_players(tx: AsyncConnection, *, lock: bool = False) -> tuple[Session, ...]:
    """Return the live sessions of accounts that are no organisers', but those that are stopping, by their ids."""
    query = (
        select(*COLUMNS)
        .join(accounts, accounts.c.id == sessions.c.account_id)
        .where(_LIVE, sessions.c.state != State.STOPPING, accounts.c.role == "player")
        .order_by(sessions.c.id)
    )
    return await _all(tx, query.with_for_update(of=sessions) if lock else query)


async def live_session(tx: AsyncConnection, account_id: int, box_id: int, realm: str | None = None) -> Session | None:
    """Return the account's live session of the box, in ``realm`` where one is given; of several the newest."""
    query = select(*COLUMNS).where(_LIVE, sessions.c.account_id == account_id, sessions.c.box_id == box_id)
    query = query if realm is None else query.where(sessions.c.realm == realm)
    return await _one(tx, query.order_by(sessions.c.created_at.desc(), sessions.c.id))


async def last_session(tx: AsyncConnection, account_id: int, box_id: int) -> Session | None:
    """Return the account's newest session of the box, live or ended: it tells why it failed."""
    query = select(*COLUMNS).where(sessions.c.account_id == account_id, sessions.c.box_id == box_id)
    return await _one(tx, query.order_by(sessions.c.created_at.desc(), sessions.c.id))


async def sessions_for_desk(tx: AsyncConnection, limit: int) -> tuple[Session, ...]:
    """Return what organisers look at: all live sessions, then the ``limit`` that ended last; newest first."""
    live = select(*COLUMNS).where(_LIVE).order_by(sessions.c.created_at.desc(), sessions.c.id)
    return await _all(tx, live) + await ended_sessions(tx, ENDED, limit)


async def ended_sessions(tx: AsyncConnection, states: Collection[State], limit: int) -> tuple[Session, ...]:
    """Return the ``limit`` sessions that ended last in one of ``states``, the newest end first."""
    ended = select(*COLUMNS).where(sessions.c.ended_at.is_not(None), sessions.c.state.in_(sorted(states)))
    return await _all(tx, ended.order_by(sessions.c.ended_at.desc()).limit(limit))


async def given_values(tx: AsyncConnection, account_id: int, since: datetime) -> tuple[GivenValue, ...]:
    """Return all dynamic flags of the account's sessions, but of those that ended before ``since``."""
    query = (
        select(session_flags.c.session_id, sessions.c.box_id, session_flags.c.name, session_flags.c.value)
        .join(sessions, sessions.c.id == session_flags.c.session_id)
        .where(
            sessions.c.account_id == account_id,
            sessions.c.box_id.is_not(None),
            or_(sessions.c.ended_at.is_(None), sessions.c.ended_at >= since),
        )
        .order_by(sessions.c.created_at.desc(), sessions.c.id)
    )
    return tuple(GivenValue(*row) for row in await tx.execute(query))


async def owner_of_value(tx: AsyncConnection, digest: str, excluding: int) -> int | None:
    """Return the account that a value was given to, other than the account ``excluding``; ``None`` if there is none.

    Args:
        tx: An open transaction.
        digest: :func:`chatsubo.domain.flags.digest` of the value.
        excluding: An account whose own sessions do not count.
    """
    query = (
        select(sessions.c.account_id)
        .join(session_flags, sessions.c.id == session_flags.c.session_id)
        .where(session_flags.c.digest == digest, sessions.c.account_id != excluding)
        .order_by(sessions.c.created_at.desc(), sessions.c.id)
        .limit(1)
    )
    owner: int | None = (await tx.execute(query)).scalar()
    return owner


async def read_log(tx: AsyncConnection, session_id: str) -> str:
    """Return the output of the session's builds and starts, for organisers; empty if there was none."""
    query = select(session_logs.c.output).where(session_logs.c.session_id == session_id)
    return (await tx.execute(query)).scalar() or ""


async def read_values(tx: AsyncConnection, session_id: str) -> dict[str, str]:
    """Return the values that the session was given: ``SESSION``, ``FLAGn``, ``RNGn``. Secrets."""
    found: dict[str, str] = (
        await tx.execute(select(sessions.c["values"]).where(sessions.c.id == session_id))
    ).scalar_one()
    return found


async def machine_addresses(tx: AsyncConnection, realms: Collection[str]) -> tuple[MachineAddress, ...]:
    """Return where the machines of players' sessions are that are up in one of ``realms``."""
    columns = [sessions.c[name] for name in ("account_id", "realm", "address", "machines")]
    query = select(*columns).where(
        _LIVE,
        sessions.c.state.in_([State.RUNNING, State.RESETTING]),
        sessions.c.account_id.is_not(None),
        sessions.c.realm.in_(realms),
    )
    return tuple(
        MachineAddress(account_id, realm, (address, *(one["address"] for one in machines)))
        for account_id, realm, address, machines in await tx.execute(query)
    )


async def settled_sessions(tx: AsyncConnection, provider: str) -> dict[str, Session]:
    """Return the sessions of ``provider`` that run and of which nothing else is asked, by their ids."""
    query = select(*COLUMNS).where(
        sessions.c.provider == provider, sessions.c.state == State.RUNNING, sessions.c.verb.is_(None)
    )
    return {session.id: session for session in await _all(tx, query)}


async def known_ids(tx: AsyncConnection, session_ids: Collection[str], *, over: bool = False) -> frozenset[str]:
    """Return which of ``session_ids`` there are; with ``over`` only those that ended and left nothing to do."""
    query = select(sessions.c.id).where(sessions.c.id.in_(session_ids))
    if over:
        query = query.where(sessions.c.ended_at.is_not(None), sessions.c.verb.is_(None))
    return frozenset((await tx.execute(query)).scalars())


async def count_live(tx: AsyncConnection) -> dict[str, int]:
    """Return how many live sessions each provider has."""
    query = select(sessions.c.provider, func.count()).where(_LIVE).group_by(sessions.c.provider)
    return {row[0]: row[1] for row in await tx.execute(query)}


async def count_states(tx: AsyncConnection) -> dict[str, int]:
    """Return how many live sessions there are in each state."""
    query = select(sessions.c.state, func.count()).where(_LIVE).group_by(sessions.c.state)
    return {state.value: 0 for state in sorted(LIVE)} | dict((await tx.execute(query)).all())
