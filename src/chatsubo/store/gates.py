"""Queries on which gate a player is bound to in which realm."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import accounts, gate_bindings
from chatsubo.store.upsert import insertion


@dataclass(frozen=True, slots=True)
class GateBinding:
    """A row of ``gate_bindings``."""

    realm: str
    url: str
    key_digest: str | None
    at: datetime
    cut_off_at: datetime | None


@dataclass(frozen=True, slots=True)
class BoundPlayer:
    """An account that is bound to a gate in a realm."""

    account_id: int
    username: str
    gate_name: str
    role: str
    binding: GateBinding


class Admission(NamedTuple):
    """That an account is bound to a gate in a realm: no more than the picture of who may reach what needs."""

    account_id: int
    gate_name: str
    role: str
    realm: str
    cut_off: bool


_BINDING = [gate_bindings.c[name] for name in GateBinding.__slots__]


async def gate_bindings_of(tx: AsyncConnection, account_id: int) -> dict[str, GateBinding]:
    """Return the gates that the account is bound to, by realm."""
    rows = await tx.execute(select(*_BINDING).where(gate_bindings.c.account_id == account_id))
    return {row.realm: GateBinding(*row) for row in rows}


async def gate_binding(tx: AsyncConnection, account_id: int, realm: str) -> GateBinding | None:
    """Return the gate that the account is bound to in the realm."""
    return (await gate_bindings_of(tx, account_id)).get(realm)


async def bound_players(tx: AsyncConnection, url: str, *, cut_off: bool = False) -> list[BoundPlayer]:
    """Return the accounts that are bound to a gate, by name, one for each realm; or those that are cut off from it."""
    query: Select[Any] = (
        select(accounts.c.id, accounts.c.username, accounts.c.gate_name, accounts.c.role, *_BINDING)
        .join(gate_bindings, gate_bindings.c.account_id == accounts.c.id)
        .where(gate_bindings.c.url == url)
        .order_by(accounts.c.username_key, gate_bindings.c.realm)
    )
    if cut_off:
        query = query.where(gate_bindings.c.cut_off_at.is_not(None))
    return [BoundPlayer(row[0], row[1], row[2], row[3], GateBinding(*row[4:])) for row in await tx.execute(query)]


async def admissions(tx: AsyncConnection, url: str) -> list[Admission]:
    """Return which accounts that are not banned are bound to a gate; cheap: it is asked all the time."""
    query = (
        select(
            accounts.c.id,
            accounts.c.gate_name,
            accounts.c.role,
            gate_bindings.c.realm,
            gate_bindings.c.cut_off_at.is_not(None),
        )
        .join(gate_bindings, gate_bindings.c.account_id == accounts.c.id)
        .where(gate_bindings.c.url == url, accounts.c.banned_at.is_(None))
    )
    return [Admission(*row) for row in await tx.execute(query)]


async def bind_gate(
    tx: AsyncConnection, account_id: int, realm: str, *, url: str, instead_of: str | None, now: datetime
) -> str:
    """Bind the account to the gate at ``url``, unless it is bound to another than ``instead_of`` by now.

    Returns:
        The URL of the gate that it is bound to.
    """
    new = insertion(tx, gate_bindings).values(account_id=account_id, realm=realm, url=url, at=now)
    await tx.execute(new.on_conflict_do_nothing())
    if instead_of is not None:
        await tx.execute(
            update(gate_bindings)
            .where(
                gate_bindings.c.account_id == account_id,
                gate_bindings.c.realm == realm,
                gate_bindings.c.url == instead_of,
            )
            .values(url=url, key_digest=None, at=now)
        )
    bound = await gate_binding(tx, account_id, realm)
    assert bound is not None
    return bound.url


async def cut_off(tx: AsyncConnection, account_id: int, realm: str, at: datetime | None) -> GateBinding | None:
    """Note since when an account is cut off from a realm, or with ``None`` that it is no longer.

    Its key is forgotten by :func:`forget_key`, once the gate has revoked it.

    Returns:
        What it is bound to; ``None`` if it was never bound to a gate there.
    """
    change = update(gate_bindings).where(gate_bindings.c.account_id == account_id, gate_bindings.c.realm == realm)
    await tx.execute(change.values(cut_off_at=at))
    return await gate_binding(tx, account_id, realm)


async def to_revoke(tx: AsyncConnection, url: str) -> list[tuple[int, str]]:
    """Return account and gate name of those whose access a gate has to revoke.

    They hold a key of it, and are cut off from all realms that they reach through it.
    """
    here = [one for one in await bound_players(tx, url, cut_off=True) if one.binding.key_digest is not None]
    return sorted(
        {
            (one.account_id, one.gate_name)
            for one in here
            if all(
                other.cut_off_at is not None
                for other in (await gate_bindings_of(tx, one.account_id)).values()
                if other.url == url
            )
        }
    )


async def forget_key(tx: AsyncConnection, account_id: int, url: str) -> None:
    """Note that a gate has revoked what it gave an account that is cut off."""
    mine = (gate_bindings.c.account_id == account_id, gate_bindings.c.url == url)
    change = update(gate_bindings).where(*mine, gate_bindings.c.cut_off_at.is_not(None))
    await tx.execute(change.values(key_digest=None))


async def note_key(tx: AsyncConnection, account_id: int, realm: str, key_digest: str) -> list[str]:
    """Note which key the gate gave, and return the names of other accounts that hold the same one."""
    await tx.execute(
        update(gate_bindings)
        .where(gate_bindings.c.account_id == account_id, gate_bindings.c.realm == realm)
        .values(key_digest=key_digest)
    )
    others = (
        select(accounts.c.username)
        .distinct()
        .join(gate_bindings, gate_bindings.c.account_id == accounts.c.id)
        .where(gate_bindings.c.key_digest == key_digest, gate_bindings.c.account_id != account_id)
        .order_by(accounts.c.username)
    )
    return [username for (username,) in await tx.execute(others)]
