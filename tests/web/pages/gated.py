"""Gates of every kind, as the database knows them: what pages about them are made from."""

from datetime import timedelta

from chatsubo.store.gate_reports import GateConnection, GateReport, save_connections, save_gate_report
from chatsubo.store.gates import bind_gate, cut_off, note_key
from tests.game.world import World
from tests.unit.gates.gate import gate

GUARD, OPEN, OLD, AWAY, FULL = (f"http://{name}.example:7474" for name in ("guard", "open", "old", "away", "full"))
GATES = (
    gate("guard.example", "wz01"),
    gate("open.example", "wz02"),
    gate("old.example", "attic"),
    gate("away.example", "matrix"),
    gate("full.example", "orbit"),
)
CASE, MOLLY, ARMITAGE, RIVIERA = 2, 10, 11, 12


async def begin(world: World) -> None:
    """Let the gates report; ``case`` has a configuration of each but the last, and is connected to none."""
    now = world.clock()
    reports = (
        GateReport(url=GUARD, kind="wireguard", enforces=True, places=253, free=241, peers=12, seen_at=now),
        GateReport(url=OPEN, kind="openvpn", enforces=True, places=65533, free=65530, peers=3, seen_at=now),
        GateReport(url=OLD, enforces=False, seen_at=now),
        GateReport(
            url=AWAY,
            kind="wireguard",
            enforces=True,
            places=253,
            free=100,
            peers=153,
            seen_at=now - timedelta(minutes=9),
            away=True,
            problem="no answer within 5 seconds",
            problem_since=now - timedelta(minutes=8),
        ),
        GateReport(url=FULL, kind="wireguard", enforces=True, places=253, free=0, peers=253, seen_at=now),
    )
    async with world.db.write() as tx:
        for report in reports:
            await save_gate_report(tx, report)
    for realm, url in (("wz01", GUARD), ("attic", OLD), ("matrix", AWAY)):
        await bind(world, CASE, realm, url)
    for account_id in (MOLLY, ARMITAGE, RIVIERA):
        await bind(world, account_id, "wz01", GUARD)


async def bind(world: World, account_id: int, realm: str, url: str) -> None:
    """Let an account have a configuration."""
    async with world.db.write() as tx:
        await bind_gate(tx, account_id, realm, url=url, instead_of=None, now=world.clock())
        await note_key(tx, account_id, realm, f"{account_id} in {realm}")


async def connect(
    world: World, gate_name: str, url: str = GUARD, addresses: str = "10.66.0.7", **bytes_of: int
) -> None:
    """Let somebody be connected, as the gate reports it."""
    line = GateConnection(
        url,
        gate_name,
        world.clock() - timedelta(minutes=12),
        bytes_of.get("received", 48_230),
        bytes_of.get("sent", 7_204_113),
        addresses,
    )
    async with world.db.write() as tx:
        await save_connections(tx, url, here=[line], gone=[], now=world.clock())


async def disconnect(world: World, gate_name: str, url: str = GUARD) -> None:
    """Let somebody be connected no more."""
    async with world.db.write() as tx:
        await save_connections(tx, url, here=[], gone=[gate_name], now=world.clock())


async def keep_out(world: World, account_id: int, realm: str = "wz01") -> None:
    """Let somebody have been cut off by an organiser."""
    async with world.db.write() as tx:
        await cut_off(tx, account_id, realm, world.clock() - timedelta(minutes=3))
