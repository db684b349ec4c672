"""Accounts as organisers keep them: who there is, and who is banned."""

from collections.abc import Callable
from datetime import datetime
from math import ceil
from typing import Literal

import structlog
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import Invalid, NotFound, OwnBan
from chatsubo.domain.sessions import Event, State, transition
from chatsubo.domain.text import N_
from chatsubo.game.actor import Actor
from chatsubo.game.admittance import let_in
from chatsubo.game.names import name_key
from chatsubo.game.snapshot import Snapshots, outdate
from chatsubo.lab.intents import ask_stop
from chatsubo.live.news import News
from chatsubo.store import accounts as store
from chatsubo.store.accounts import Account
from chatsubo.store.database import Database
from chatsubo.store.logins import delete_logins_of
from chatsubo.store.sessions import Session, live_sessions

PAGE = 100
"""Accounts on one page of the list."""
MAX_REASON = 500

AccountState = Literal["banned", "active"]

log = structlog.get_logger("chatsubo.game.accounts")


class AccountRow(Struct, frozen=True, kw_only=True):
    """An account as organisers see it."""

    id: int
    username: str
    role: str
    created_at: datetime
    seen_at: datetime | None
    banned_at: datetime | None
    ban_reason: str | None


class AccountPage(Struct, frozen=True, kw_only=True):
    """Some accounts, by name; ``total`` is how many there are on all ``pages``."""

    accounts: tuple[AccountRow, ...]
    total: int
    page: int
    pages: int


class AccountAdmin:
    """What organisers see of accounts and do with them. Every call refuses everyone else."""

    def __init__(
        self, db: Database, clock: Clock, *, snapshots: Snapshots, news: News, wake: Callable[[], None]
    ) -> None:
        """Keep what it works with.

        Args:
            db: Where accounts are.
            clock: The time of day.
            snapshots: The standings, which the banned are not in.
            news: Tells browsers of what changes.
            wake: Tells the lab that there is something to stop.
        """
        self._db = db
        self._clock = clock
        self._snapshots = snapshots
        self._news = news
        self._wake = wake

    async def accounts(
        self, actor: Actor, search: str = "", only: AccountState | None = None, page: int = 1
    ) -> AccountPage:
        """Return a page of the accounts whose names hold ``search``, by name.

        Args:
            actor: Who reads.
            search: A part of the name.
            only: Those that are banned, or those that are not; ``None`` for all.
            page: Which page, from 1; beyond the last it is empty.
        """
        actor.must_be_admin()
        async with self._db.read() as tx:
            total, found = await store.find_accounts(
                tx,
                name_part=name_key(search.strip()),
                banned=None if only is None else only == "banned",
                limit=PAGE,
                offset=(page - 1) * PAGE,
            )
        rows = tuple(AccountRow(**{name: getattr(one, name) for name in AccountRow.__struct_fields__}) for one in found)
        return AccountPage(accounts=rows, total=total, page=page, pages=max(1, ceil(total / PAGE)))

    async def ban(self, actor: Actor, account_id: int, reason: str) -> None:
        """Shut an account out: logins and machines end, it is in no standings, and reaches nothing through any gate.

        Nothing of it is lost: :meth:`lift_ban` brings all back but the machines. Who bans is an organiser and stays one
        who is not banned, so that there is always one left.

        Args:
            actor: Who bans.
            account_id: Whom.
            reason: What whoever is banned is told.

        Raises:
            Banned: If the actor was banned meanwhile.
            Forbidden: If the actor is no organiser.
            Invalid: If there is no reason, or it is too long.
            NotFound: If there is no such account.
            OwnBan: If it is the actor's own.
        """
        actor.must_be_admin()
        if account_id == actor.account_id:
            raise OwnBan
        reason = _checked(reason)
        now = self._clock()
        async with self._db.write() as tx:
            account = await _held(tx, actor, account_id)
            await outdate(tx)
            await store.set_ban(tx, account_id, at=account.banned_at or now, reason=reason)
            await delete_logins_of(tx, account_id)
            live = sorted(await live_sessions(tx, account_id), key=lambda one: one.id)  # as the lab locks them
            stopped = [await ask_stop(tx, one.id, now) for one in live if one.state is not State.STOPPING]
        log.info("account.banned", account=account.username, by=actor.username, reason=reason)
        self._tell_ban(account_id, stopped)

    async def lift_ban(self, actor: Actor, account_id: int) -> None:
        """Let an account in again, with all that it had found.

        Raises:
            Banned: If the actor was banned meanwhile.
            Forbidden: If the actor is no organiser.
            NotFound: If there is no such account.
        """
        actor.must_be_admin()
        async with self._db.write() as tx:
            account = await _held(tx, actor, account_id)
            await outdate(tx)
            await store.set_ban(tx, account_id, at=None, reason=None)
        log.info("account.let-in", account=account.username, by=actor.username)
        self._news.accounts()
        self._tell_standings()

    def _tell_ban(self, account_id: int, stopped: list[Session]) -> None:
        self._wake()
        self._news.barred(account_id)
        for one in stopped:
            state = transition(one.state, Event.ASK_STOP)
            self._news.session(one.id, one.account_id, one.box_id, state)
        self._tell_standings()

    def _tell_standings(self) -> None:
        """Tell everyone: somebody else may have the first blood of a box now."""
        self._snapshots.forget()
        self._snapshots.changed()
        self._news.boxes()


async def _held(tx: AsyncConnection, actor: Actor, account_id: int) -> Account:
    """Return an account that nobody else changes until the transaction ends, nor bans who changes it.

    Both are locked in the order of their ids, so that of two organisers who ban each other the first one does.
    """
    if account_id < actor.account_id:
        await store.lock_account(tx, account_id)
    await let_in(tx, actor)
    await store.lock_account(tx, account_id)
    account = await store.account_by_id(tx, account_id)
    if account is None:
        raise NotFound
    return account


def _checked(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason:
        raise Invalid.field("reason", N_("Say why: the player is shown it."))
    if len(reason) > MAX_REASON:
        raise Invalid.field("reason", N_("A reason has at most {high} characters."), high=MAX_REASON)
    return reason
