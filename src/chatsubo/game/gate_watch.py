"""The watch over one gate: how it is, who is connected, and that it holds the present picture of who may reach what."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import structlog

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import ChatsuboError
from chatsubo.game.gate_telling import GateTelling
from chatsubo.gates import Connection, GateClient, GateError, Health
from chatsubo.live.news import News
from chatsubo.store.accounts import accounts_by_gate_name
from chatsubo.store.database import Database
from chatsubo.store.gate_reports import (
    GateConnection,
    GateReport,
    connections,
    gate_report_of,
    save_connections,
    save_gate_report,
    touch_gate_report,
)

log = structlog.get_logger("chatsubo.game.gates")


@dataclass(frozen=True, slots=True)
class GatePace:
    """How often gates are looked at, in seconds.

    Attributes:
        settle: After news, before the picture is composed: they come in swarms.
        picture: Between two compositions without news: other processes change things too.
        look: Between two looks at a gate.
        retry: Between the first failure and the next look; doubled for each further one.
        retry_most: Between two looks at a gate that is away.
        traffic: Between two times that bytes, and the moment of the last answer, are kept.
    """

    settle: float = 0.05
    picture: float = 1.0
    look: float = 3.0
    retry: float = 1.0
    retry_most: float = 15.0
    traffic: float = 30.0


SAME_MOMENT = timedelta(seconds=1)


class GateWatch:
    """Looks at one gate until cancelled. It shares nothing with the others: one that hangs holds up nobody.

    Args:
        db: Where reports and pictures are.
        clock: The time of day.
        client: Asks the gate.
        telling: Tells the gate who may reach what.
        news: Tells browsers what changes.
        pace: How often to look.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        client: GateClient,
        *,
        telling: GateTelling,
        news: News,
        pace: GatePace,
    ) -> None:
        self.url = client.gate.url
        self._db, self._clock, self._client, self._news, self._pace = db, clock, client, news, pace
        self._telling = telling
        self._woken = asyncio.Event()
        self._report: GateReport | None = None
        self._connections: dict[str, GateConnection] = {}
        self._failures = 0
        self._look_at = 0.0
        self._seen_kept_at = 0.0
        self._traffic_kept_at = 0.0

    def wake(self) -> None:
        """Compose the picture again, soon."""
        self._woken.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self._woken.clear()
            try:
                await self.tend()
            except ChatsuboError as error:
                log.warning("gate.unattended", url=self.url, reason=str(error))
            except Exception:
                log.exception("gate.unattended", url=self.url)
            await self._pause()

    async def tend(self) -> None:
        """Look at the gate if it is time to, and give it the present picture if it holds another one."""
        report = None
        try:
            if time.monotonic() >= self._look_at:
                report = await self._look()
                self._failures = 0
                self._look_at = time.monotonic() + self._pace.look
            if not self._failures and (report or await self._known()).enforces:
                await self._telling.send()
                await self._telling.revoke()
            if report is not None:  # not before: a gate that takes no picture is not well, whatever it says
                await self._keep(report)
        except GateError as error:
            wait = min(self._pace.retry_most, self._pace.retry * 2.0 ** min(self._failures, 10))
            self._failures += 1
            self._telling.doubt()
            self._look_at = time.monotonic() + wait
            await self._keep_problem(error, away=report is None)

    async def _pause(self) -> None:
        await asyncio.sleep(self._pace.settle)
        try:
            async with asyncio.timeout(self._pace.picture):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _look(self) -> GateReport:
        """Ask the gate how it is and who is connected; keep the latter, and return the former.

        Raises:
            GateError: If it does not say.
        """
        known = await self._known()
        health = await self._client.health()
        if health is None:
            await self._client.check()
            await self._keep_connections({})
            return GateReport(url=self.url, enforces=False, seen_at=self._clock())
        await self._telling.heard(health.picture)
        await self._keep_connections(await self._client.online())
        return _report(self.url, health, known, self._clock())

    async def _known(self) -> GateReport:
        """Return what was kept last; at first, what an earlier process kept."""
        if self._report is None:
            async with self._db.read() as tx:
                self._connections = {one.gate_name: one for one in await connections(tx, url=self.url)}
                self._report = await gate_report_of(tx, self.url)
        return self._report

    async def _keep_problem(self, error: GateError, *, away: bool) -> None:
        known = await self._known()
        since = known.problem_since or self._clock()
        if known.problem is None:
            log.warning("gate.away", url=self.url, reason=error.detail)
        await self._keep(replace(known, away=away, problem=error.detail, problem_since=since))

    async def _keep(self, report: GateReport) -> None:
        """Keep a report, and tell of it if it says anything new."""
        known = await self._known()
        if replace(report, seen_at=known.seen_at) == known:
            if report.seen_at is not None and time.monotonic() - self._seen_kept_at >= self._pace.traffic:
                self._seen_kept_at = time.monotonic()
                async with self._db.write() as tx:
                    await touch_gate_report(tx, self.url, report.seen_at)
            self._report = report
            return
        async with self._db.write() as tx:
            await save_gate_report(tx, report)
        if known.problem is not None and report.problem is None:
            log.info("gate.well-again", url=self.url)
        self._report = report
        self._news.gates(players=_for_players(report) != _for_players(known))

    async def _keep_connections(self, lines: Mapping[str, Connection]) -> None:
        """Keep who is connected, and tell those whose connection came or went."""
        known, now = self._connections, self._clock()
        here = {name: _connection(self.url, line, known.get(name), now) for name, line in lines.items()}
        came = {name for name, one in here.items() if name not in known or known[name].since != one.since}
        gone = known.keys() - here.keys()
        due = time.monotonic() - self._traffic_kept_at >= self._pace.traffic
        changed = [one for name, one in here.items() if name in came or (due and one != known[name])]
        if changed or gone:
            async with self._db.write() as tx:
                await save_connections(tx, self.url, here=changed, gone=gone, now=now)
        if due:
            self._traffic_kept_at = time.monotonic()
        self._connections = here
        if came or gone:
            async with self._db.read() as tx:
                accounts = await accounts_by_gate_name(tx, came | gone)
            for account_id in accounts.values():
                self._news.vpn(account_id)
            self._news.gates(players=False)


def _report(url: str, health: Health, known: GateReport, now: datetime) -> GateReport:
    problem = "; ".join(health.errors)[:1000] or None
    return GateReport(
        url=url,
        kind=health.kind[:16],
        enforces=True,
        places=health.places,
        free=health.free,
        peers=health.peers,
        seen_at=now,
        problem=problem,
        problem_since=(known.problem_since or now) if problem else None,
    )


def _connection(url: str, line: Connection, known: GateConnection | None, now: datetime) -> GateConnection:
    """Return what is kept of a connection. The gate's clock may be wrong: no connection began in the future."""
    try:
        since = datetime.fromtimestamp(line.since or 0, UTC) if line.since else now
    except (OverflowError, ValueError, OSError):
        since = now
    if known is not None and (since > now or since <= known.since + SAME_MOMENT):
        since = known.since
    return GateConnection(url, line.name, min(since, now), line.received, line.sent, _addresses(line))


def _addresses(line: Connection) -> str:
    """Return a player's first two addresses in the tunnel: the gate's word, of which only addresses are kept."""
    found = []
    for text in line.addresses[:2]:
        with suppress(ValueError):
            found.append(str(ip_address(text)))
    return " ".join(found)[:100]


def _for_players(report: GateReport) -> tuple[object, ...]:
    return report.kind, report.enforces, report.free == 0, report.problem is None
