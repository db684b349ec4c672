"""Queries on logins."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import accounts, logins


@dataclass(frozen=True, slots=True)
class Login:
    """A row of ``logins``."""

    digest: str
    account_id: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The account behind a login."""

    account_id: int
    username: str
    role: str
    language: str | None
    theme: str | None
    seen_at: datetime


async def insert_login(tx: AsyncConnection, login: Login) -> None:
    """Insert a login."""
    await tx.execute(
        insert(logins).values({name: getattr(login, name) for name in Login.__slots__}),
    )


async def logged_in(tx: AsyncConnection, digest: str, now: datetime) -> LoggedIn | None:
    """Return the account that the login belongs to, unless the login has expired or the account is banned."""
    statement = (
        select(
            accounts.c.id, accounts.c.username, accounts.c.role, accounts.c.language, accounts.c.theme, logins.c.seen_at
        )
        .join(accounts, accounts.c.id == logins.c.account_id)
        .where(logins.c.digest == digest, logins.c.expires_at > now, accounts.c.banned_at.is_(None))
    )
    row = (await tx.execute(statement)).first()
    return LoggedIn(*row) if row else None


async def touch_login(tx: AsyncConnection, digest: str, *, seen_at: datetime, expires_at: datetime) -> None:
    """Note that a login was used."""
    await tx.execute(update(logins).where(logins.c.digest == digest).values(seen_at=seen_at, expires_at=expires_at))


async def logins_of(tx: AsyncConnection, account_id: int, now: datetime) -> list[Login]:
    """Return an account's logins, the last used first."""
    statement = (
        select(*(logins.c[name] for name in Login.__slots__))
        .where(logins.c.account_id == account_id, logins.c.expires_at > now)
        .order_by(logins.c.seen_at.desc())
    )
    return [Login(*row) for row in await tx.execute(statement)]


async def delete_login(tx: AsyncConnection, digest: str) -> None:
    """End one login."""
    await tx.execute(delete(logins).where(logins.c.digest == digest))


async def delete_logins_of(tx: AsyncConnection, account_id: int) -> None:
    """End all of an account's logins."""
    await tx.execute(delete(logins).where(logins.c.account_id == account_id))
