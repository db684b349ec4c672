"""Queries on accounts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import accounts


@dataclass(frozen=True, slots=True)
class Account:
    """A row of ``accounts``; ``password_hash`` is kept out of its repr by :meth:`__repr__`."""

    id: int
    username: str
    gate_name: str
    password_hash: str
    role: str
    language: str | None
    theme: str | None
    created_at: datetime
    seen_at: datetime | None
    banned_at: datetime | None
    ban_reason: str | None

    def __repr__(self) -> str:
        """Return what identifies it."""
        return f"<Account {self.id} {self.username!r}>"


_MOST_NAMES = 1000
_COLUMNS = [accounts.c[name] for name in Account.__slots__]


def _account(row: RowMapping) -> Account:
    return Account(**row)


async def insert_account(
    tx: AsyncConnection,
    *,
    username: str,
    username_key: str,
    gate_name: str,
    password_hash: str,
    role: str,
    now: datetime,
) -> int:
    """Insert an account and return its id.

    Raises:
        sqlalchemy.exc.IntegrityError: If the username or the gate name is taken.
    """
    statement = insert(accounts).values(
        username=username,
        username_key=username_key,
        gate_name=gate_name,
        password_hash=password_hash,
        role=role,
        created_at=now,
    )
    return int((await tx.execute(statement.returning(accounts.c.id))).scalar_one())


async def account_by_name(tx: AsyncConnection, username_key: str) -> Account | None:
    """Return the account of that name without case."""
    row = (await tx.execute(select(*_COLUMNS).where(accounts.c.username_key == username_key))).mappings().first()
    return _account(row) if row else None


async def account_by_id(tx: AsyncConnection, account_id: int) -> Account | None:
    """Return the account."""
    row = (await tx.execute(select(*_COLUMNS).where(accounts.c.id == account_id))).mappings().first()
    return _account(row) if row else None


async def lock_account(tx: AsyncConnection, account_id: int) -> None:
    """Let nobody else lock the account until the transaction ends; on SQLite there is one writer anyway.

    Rows that refer to it may be written meanwhile: were they to wait, a start and a submission at once could wait for
    each other.
    """
    await tx.execute(select(accounts.c.id).where(accounts.c.id == account_id).with_for_update(key_share=True))


async def all_accounts(tx: AsyncConnection) -> list[Account]:
    """Return all accounts, by name."""
    rows = (await tx.execute(select(*_COLUMNS).order_by(accounts.c.username_key))).mappings()
    return [_account(row) for row in rows]


async def find_accounts(
    tx: AsyncConnection, *, name_part: str, banned: bool | None, limit: int, offset: int
) -> tuple[int, list[Account]]:
    """Return how many accounts there are of some kind, and some of them, by name.

    Args:
        tx: An open transaction.
        name_part: What the name without case holds.
        banned: Those that are banned, or those that are not; ``None`` for both.
        limit: How many to return at most.
        offset: How many to leave out at first.
    """
    wanted: list[ColumnElement[bool]] = [accounts.c.username_key.contains(name_part, autoescape=True)]
    if banned is not None:
        wanted.append(accounts.c.banned_at.is_not(None) if banned else accounts.c.banned_at.is_(None))
    total = (await tx.execute(select(func.count()).select_from(accounts).where(*wanted))).scalar_one()
    page = select(*_COLUMNS).where(*wanted).order_by(accounts.c.username_key).limit(limit).offset(offset)
    return int(total), [_account(row) for row in (await tx.execute(page)).mappings()]


async def usernames(tx: AsyncConnection) -> dict[int, str]:
    """Return every account's name by its id."""
    return dict((await tx.execute(select(accounts.c.id, accounts.c.username))).all())


async def accounts_by_gate_name(tx: AsyncConnection, gate_names: Collection[str]) -> dict[str, int]:
    """Return the accounts that gates know by these names."""
    names = sorted(gate_names)
    found: dict[str, int] = {}
    for first in range(0, len(names), _MOST_NAMES):
        some = accounts.c.gate_name.in_(names[first : first + _MOST_NAMES])
        found |= dict((await tx.execute(select(accounts.c.gate_name, accounts.c.id).where(some))).all())
    return found


async def gate_name_taken(tx: AsyncConnection, gate_name: str) -> bool:
    """Say whether a gate already knows somebody by that name."""
    return (await tx.execute(select(accounts.c.id).where(accounts.c.gate_name == gate_name))).first() is not None


async def set_password_hash(
    tx: AsyncConnection, account_id: int, password_hash: str, *, instead_of: str | None = None
) -> bool:
    """Replace an account's password hash, if it is still ``instead_of`` where one is named; say whether it was."""
    query = update(accounts).where(accounts.c.id == account_id)
    if instead_of is not None:
        query = query.where(accounts.c.password_hash == instead_of)
    return (await tx.execute(query.values(password_hash=password_hash))).rowcount == 1


async def set_role(tx: AsyncConnection, account_id: int, role: str) -> None:
    """Set what an account may do."""
    await tx.execute(update(accounts).where(accounts.c.id == account_id).values(role=role))


async def set_ban(tx: AsyncConnection, account_id: int, *, at: datetime | None, reason: str | None) -> None:
    """Note since when and why an account is banned; ``None`` for both, that it is no longer."""
    await tx.execute(update(accounts).where(accounts.c.id == account_id).values(banned_at=at, ban_reason=reason))


async def note_seen(tx: AsyncConnection, account_id: int, at: datetime) -> None:
    """Note when an account was last there."""
    await tx.execute(update(accounts).where(accounts.c.id == account_id).values(seen_at=at))


async def set_preferences(tx: AsyncConnection, account_id: int, *, language: str | None, theme: str | None) -> None:
    """Set an account's language and theme; ``None`` where none was chosen."""
    await tx.execute(update(accounts).where(accounts.c.id == account_id).values(language=language, theme=theme))
