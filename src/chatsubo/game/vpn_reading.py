"""Reads what the database knows of gates and of who is bound to them. Nothing here asks a gate."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import NotFound
from chatsubo.game.access import AccessReader
from chatsubo.game.vpn_views import GatePlayer, GateTrouble, GateView, RealmAccess
from chatsubo.gates import GateClient, Gates
from chatsubo.store.accounts import account_by_id
from chatsubo.store.gate_pictures import taken_picture
from chatsubo.store.gate_reports import GateConnection, GateReport, all_gate_reports, connections, last_addresses
from chatsubo.store.gates import BoundPlayer, GateBinding, bound_players, gate_bindings_of


async def realm_accesses(tx: AsyncConnection, gates: Gates, account_id: int) -> tuple[RealmAccess, ...]:
    """Return an account's way into each realm that has a gate.

    Raises:
        NotFound: If there is no such account.
    """
    account = await account_by_id(tx, account_id)
    if account is None:
        raise NotFound
    bindings = await gate_bindings_of(tx, account_id)
    reports = await all_gate_reports(tx)
    lines = {one.url: one for one in await connections(tx, gate_name=account.gate_name)}
    return tuple(
        _realm_access(realm, clients, bindings.get(realm), reports, lines) for realm, clients in gates.by_realm.items()
    )


def _realm_access(
    realm: str,
    clients: Sequence[GateClient],
    binding: GateBinding | None,
    reports: Mapping[str, GateReport],
    lines: Mapping[str, GateConnection],
) -> RealmAccess:
    urls = [client.gate.url for client in clients]
    bound = binding is not None and binding.url in urls
    mine = [reports.get(url, GateReport(url=url)) for url in ([binding.url] if binding and bound else urls)]
    well = [one for one in mine if one.problem is None]
    open_ones = [one for one in well if bound or not _is_full(one)]
    line = lines.get(mine[0].url) if bound else None
    cut_off = binding is not None and binding.cut_off_at is not None
    tells = bound and bool(mine[0].enforces) and bool(well)
    return RealmAccess(
        realm=realm,
        kind=(open_ones or well or mine)[0].kind,
        given=binding is not None and bound and binding.key_digest is not None and not cut_off,
        connected=(line is not None) if tells or not bound else None,
        since=line.since if line and tells else None,
        away=not well,
        full=bool(well) and not open_ones,
        renewable=bound and mine[0].enforces is not False and not cut_off,
        cut_off=cut_off,
    )


async def gate_views(tx: AsyncConnection, gates: Gates, clock: Clock) -> tuple[GateView, ...]:
    """Return how each gate is and who is bound to it, for organisers."""
    reports = await all_gate_reports(tx)
    return tuple([await _gate_view(tx, gates, reports.get(url, GateReport(url=url)), clock) for url in gates.by_url])


async def gate_troubles(tx: AsyncConnection, gates: Gates) -> tuple[GateTrouble, ...]:
    """Return the gates that are away, not well, or full, for organisers."""
    reports = await all_gate_reports(tx)
    no_place_left = {
        realm
        for realm, clients in gates.by_realm.items()
        if all((report := reports.get(one.gate.url)) and _is_full(report) for one in clients)
    }
    found = []
    for url in gates.by_url:
        report, realms = reports.get(url, GateReport(url=url)), gates.realms_of(url)
        if report.problem is not None:
            kind: Literal["away", "unwell"] = "away" if report.away else "unwell"
            found.append(
                GateTrouble(url=url, realms=realms, kind=kind, problem=report.problem, since=report.problem_since)
            )
        elif _is_full(report) and not no_place_left.isdisjoint(realms):
            found.append(GateTrouble(url=url, realms=realms, kind="full", problem=None, since=None))
    return tuple(found)


def _is_full(report: GateReport) -> bool:
    return report.free == 0


async def _gate_view(tx: AsyncConnection, gates: Gates, report: GateReport, clock: Clock) -> GateView:
    bound = await bound_players(tx, report.url)
    lines = {one.gate_name: one for one in await connections(tx, url=report.url)}
    addresses = await last_addresses(tx, report.url)
    players = [_gate_player(one, lines.get(one.gate_name), addresses.get(one.gate_name, "")) for one in bound]
    return GateView(
        url=report.url,
        realms=gates.realms_of(report.url),
        kind=report.kind,
        enforces=report.enforces,
        up_to_date=await _is_up_to_date(tx, gates, report, clock) if report.enforces else None,
        places=report.places,
        free=report.free,
        peers=report.peers,
        seen_at=report.seen_at,
        away=report.away,
        problem=report.problem,
        problem_since=report.problem_since,
        online=len(lines),
        players=tuple(sorted(players, key=lambda one: not one.connected)),
        strangers=_strangers(lines, bound),
    )


async def _is_up_to_date(tx: AsyncConnection, gates: Gates, report: GateReport, clock: Clock) -> bool:
    taken = await taken_picture(tx, report.url)
    picture = await AccessReader(clock).picture(
        tx, report.url, gates.realms_of(report.url), gates.connecting_back(report.url)
    )
    return report.problem is None and taken is not None and taken.digest == picture.digest


def _gate_player(player: BoundPlayer, line: GateConnection | None, addresses: str) -> GatePlayer:
    return GatePlayer(
        account_id=player.account_id,
        username=player.username,
        gate_name=player.gate_name,
        realm=player.binding.realm,
        given=player.binding.key_digest is not None and player.binding.cut_off_at is None,
        connected=line is not None,
        since=line.since if line else None,
        received=line.received if line else 0,
        sent=line.sent if line else 0,
        addresses=tuple(addresses.split()),
        cut_off_at=player.binding.cut_off_at,
    )


def _strangers(lines: Iterable[str], bound: Iterable[BoundPlayer]) -> tuple[str, ...]:
    return tuple(sorted(set(lines) - {one.gate_name for one in bound}))
