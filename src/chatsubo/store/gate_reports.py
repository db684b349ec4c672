"""How each gate is and who is connected to it: what pages are made from, so that none of them waits for a gate."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import gate_connections, gate_reports
from chatsubo.store.upsert import insertion, put_row


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """How a gate is, as it last said.

    Attributes:
        url: Where it is.
        kind: ``wireguard`` or ``openvpn``; ``None`` if it did not say, as old gates do not.
        enforces: Whether it has access control; old ones have none. ``None`` if it never answered.
        places: How many accesses it can give; ``None`` if it did not say; likewise the next two.
        free: How many are left.
        peers: How many were given.
        seen_at: When it last answered.
        away: Whether it does not answer now, or does not let us in: the problem says which.
        problem: What is wrong now, in English, for organisers; ``None`` if it is well.
        problem_since: Since when.
    """

    url: str
    kind: str | None = None
    enforces: bool | None = None
    places: int | None = None
    free: int | None = None
    peers: int | None = None
    seen_at: datetime | None = None
    away: bool = False
    problem: str | None = None
    problem_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class GateConnection:
    """Somebody who is connected to a gate.

    Attributes:
        url: The gate.
        gate_name: What gates call the player.
        since: Since when.
        received: Bytes from the player.
        sent: Bytes to the player.
        addresses: Where the player is in the tunnel, a space between two.
    """

    url: str
    gate_name: str
    since: datetime
    received: int
    sent: int
    addresses: str = ""


_REPORT = [gate_reports.c[name] for name in GateReport.__slots__]
_CONNECTION = [gate_connections.c[name] for name in GateConnection.__slots__]
_ROWS = 1000


async def gate_report_of(tx: AsyncConnection, url: str) -> GateReport:
    """Return how a gate is; one that was never asked has an empty report."""
    return (await all_gate_reports(tx)).get(url, GateReport(url=url))


async def all_gate_reports(tx: AsyncConnection) -> dict[str, GateReport]:
    """Return how each gate is, by its URL."""
    return {row.url: GateReport(**row._mapping) for row in await tx.execute(select(*_REPORT))}  # noqa: SLF001


async def save_gate_report(tx: AsyncConnection, report: GateReport) -> None:
    """Keep how a gate is."""
    await put_row(tx, gate_reports, **asdict(report))


async def touch_gate_report(tx: AsyncConnection, url: str, seen_at: datetime) -> None:
    """Keep that a gate answered, and nothing has changed."""
    await tx.execute(update(gate_reports).where(gate_reports.c.url == url).values(seen_at=seen_at))


async def forget_gates(tx: AsyncConnection, keep: Collection[str]) -> None:
    """Remove what is known of gates that are not configured any more."""
    for table in (gate_reports, gate_connections):
        await tx.execute(delete(table).where(table.c.url.not_in(sorted(keep))))


async def connections(
    tx: AsyncConnection, *, url: str | None = None, gate_name: str | None = None
) -> tuple[GateConnection, ...]:
    """Return who is connected: to one gate, or one player to any, or everybody."""
    query = select(*_CONNECTION).where(gate_connections.c.gone_at.is_(None))
    query = query.order_by(gate_connections.c.url, gate_connections.c.gate_name)
    if url is not None:
        query = query.where(gate_connections.c.url == url)
    if gate_name is not None:
        query = query.where(gate_connections.c.gate_name == gate_name)
    return tuple(GateConnection(*row) for row in await tx.execute(query))


async def last_addresses(tx: AsyncConnection, url: str) -> dict[str, str]:
    """Return where players are in a gate's tunnel, or were last, a space between two addresses; by gate name.

    A gate may give an address to somebody else in time: it belongs to who came last.
    """
    names, addresses = gate_connections.c.gate_name, gate_connections.c.addresses
    query = select(addresses, names).where(gate_connections.c.url == url, addresses != "")
    owners = dict((await tx.execute(query.order_by(gate_connections.c.since, names))).all())
    return {name: found for found, name in owners.items()}


async def save_connections(
    tx: AsyncConnection, url: str, *, here: Iterable[GateConnection], gone: Collection[str], now: datetime
) -> None:
    """Keep who is connected to a gate, and where those who are not any more were last.

    Args:
        tx: An open transaction.
        url: The gate.
        here: Connections that are new or have changed.
        gone: The names of players who are not connected any more.
        now: When they went.
    """
    names = sorted(gone)
    for first in range(0, len(names), _ROWS):
        some = gate_connections.c.gate_name.in_(names[first : first + _ROWS])
        change = update(gate_connections).where(gate_connections.c.url == url, some)
        await tx.execute(change.values(gone_at=now))
    rows = [{**asdict(one), "gone_at": None} for one in here]
    if rows:
        row = insertion(tx, gate_connections)
        changed = {name: row.excluded[name] for name in ("since", "received", "sent", "addresses", "gone_at")}
        await tx.execute(row.on_conflict_do_update(index_elements=["url", "gate_name"], set_=changed), rows)
