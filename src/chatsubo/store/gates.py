"""Queries on which gate a player is bound to in which realm."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import accounts, gate_bindings
from chatsubo.store.upsert import insertion


@dataclass(frozen=True, slots=True)
class GateBinding:
    """A row of ``gate_bindings``."""

    url: str
    key_digest: str | None


async def gate_binding(tx: AsyncConnection, account_id: int, realm: str) -> GateBinding | None:
    """Return the gate that the account is bound to in the realm."""
    statement = select(gate_bindings.c.url, gate_bindings.c.key_digest).where(
        gate_bindings.c.account_id == account_id, gate_bindings.c.realm == realm
    )
    row = (await tx.execute(statement)).first()
    return GateBinding(*row) if row else None


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
