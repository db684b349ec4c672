"""The platform before a gate and a Docker Engine: from a machine that runs to a packet that passes the tunnel."""

import asyncio
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from chatsubo.domain.sessions import State
from chatsubo.store.database import Database
from chatsubo.store.tables import accounts, gate_bindings, sessions
from tests.bench import processes
from tests.bench.gate_lines import FIRST, LIMIT, passes
from tests.bench.machines import engine
from tests.bench.report import Report, spread
from tests.real.dockerd import Dockerd
from tests.real.game.conftest import PORT, docker_provider, write_templates
from tests.real.gate.service import TOKEN, Service
from tests.real.gate.wireguard_player import WireGuardPlayer
from tests.real.gate.world import PB
from tests.real.server import Server, Visitor

REALM = "wz01"
CLICKS = 8
IDLE = 10.0
ELSEWHERE = "elsewhere"
BEGIN = 1_000
"""The first number of the others' accounts."""
MACHINES = IPv4Address("172.31.0.1")

Row = tuple[Any, ...]


def measure(report: Report, service: Service, names: Sequence[str]) -> None:
    """Measure it with one player on the platform, and with as many more as the gate has peers.

    Args:
        report: Where the figures go.
        service: The gate, with peers; this thread is in its namespace.
        names: What the gate calls the others.
    """
    with engine() as dockerd, tempfile.TemporaryDirectory() as folder:
        root = write_templates(Path(folder) / "templates")
        gate = {"realm": REALM, "url": str(service.http.base_url), "token": TOKEN}
        server = Server(Path(folder), docker_provider(dockerd, root), vpns=[gate]).start()
        try:
            bench = _Platform(server, service, dockerd)
            _measure(report, bench, "1 player")
            asyncio.run(_fill(server, gate["url"], names))
            _told(service, len(names))
            _measure(report, bench, f"{len(names)} others")
        finally:
            server.close()


def _measure(report: Report, bench: "_Platform", when: str) -> None:
    idle = processes.shares({"platform": bench.server.pid, "gate": bench.gate_pid}, IDLE)
    told = ", ".join(f"{name} {100 * share:.1f} %" for name, share in idle.items())
    report.add(f"share of a processor, idle, {when}", told)
    report.add(
        f"instance running until a packet passes, {when}",
        spread([bench.click() for _ in range(CLICKS)]),
        "goal: 300 ms",
    )


class _Platform:
    """A platform, and a player of it who is connected through its gate and starts machines."""

    def __init__(self, server: Server, service: Service, dockerd: Dockerd) -> None:
        self.server, self._service, self._world = server, service, service.world
        dockerd.docker("build", "-q", "-t", "alpine-plain", str(server.folder / "templates" / "plain"))
        self._slug = server.release(server.organiser(), "plain")
        self._player = server.visitor().register("case")
        self._connect(self._player)
        self.click()

    @property
    def gate_pid(self) -> int:
        """The gate's process."""
        assert self._service.process is not None
        return self._service.process.pid

    def click(self) -> float:
        """Return how long after a machine was seen to run, in the database, its first answer came, in seconds."""
        self._player.post(f"/boxes/{self._slug}/session")
        (address,) = self._until("SELECT address FROM sessions WHERE state = 'running' AND provider != ?")
        began = time.perf_counter()
        took = passes(self._world, PB, address, PORT) - began
        self._player.http.delete(f"/api/v1/boxes/{self._slug}/session")
        self._until("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE ended_at IS NULL AND provider != ?)")
        return took

    def _connect(self, player: Visitor) -> None:
        text = player.http.get(f"/api/v1/realms/{REALM}/vpn").text
        line = WireGuardPlayer(self._world, PB, text)
        line.connect()
        assert line.reaches(str(FIRST), within=LIMIT), "the tunnel does not come up"

    def _until(self, query: str) -> Row:
        """Return the first row that there is; asked of the database file itself, which costs the server nothing."""
        limit = time.monotonic() + LIMIT
        with closing(sqlite3.connect(f"file:{self.server.folder / 'chatsubo.db'}?mode=ro", uri=True)) as connection:
            while (row := connection.execute(query, (ELSEWHERE,)).fetchone()) is None:
                if time.monotonic() > limit:
                    raise TimeoutError(query)
                time.sleep(0.001)
        found: Row = row
        return found


def _told(service: Service, players: int) -> None:
    """Wait until the gate has a picture of so many players."""
    limit = time.monotonic() + LIMIT
    while len(service.ask("GET", "/api/v1/access")["players"]) < players:
        if time.monotonic() > limit:
            raise TimeoutError("the gate was not told of all players")
        time.sleep(0.05)


async def _fill(server: Server, url: str, names: Sequence[str]) -> None:
    """Put players into the database who are bound to the gate, each with a machine that runs."""
    now = datetime.now(UTC)
    db = Database.open(f"sqlite:///{server.folder / 'chatsubo.db'}")
    async with db.write() as tx:
        await tx.execute(insert(accounts), [_account(place, name, now) for place, name in enumerate(names)])
        bindings = [{"account_id": BEGIN + place, "realm": REALM, "url": url, "at": now} for place in range(len(names))]
        await tx.execute(insert(gate_bindings), bindings)
        await tx.execute(insert(sessions), [_session(place, now) for place in range(len(names))])
    await db.aclose()


def _account(place: int, name: str, now: datetime) -> dict[str, object]:
    names = {"username": name, "username_key": name, "gate_name": name}
    return {"id": BEGIN + place, **names, "password_hash": "-", "role": "player", "created_at": now}


def _session(place: int, now: datetime) -> dict[str, object]:
    """Return a machine at a provider that the platform does not ask: it is neither looked after nor missed."""
    times = dict.fromkeys(("asked_at", "created_at", "started_at", "ready_at"), now)
    return {
        "id": str(uuid.uuid4()),
        "account_id": BEGIN + place,
        "provider": ELSEWHERE,
        "realm": REALM,
        "template": "box",
        "state": State.RUNNING,
        "generation": 1,
        "values": {},
        "duration": 600,
        "expires_at": now + timedelta(hours=10),
        "address": str(MACHINES + place),
        **times,
    }
