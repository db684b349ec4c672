"""A gate with 10,000 players: ``chatsubo gate serve`` in a namespace, and players with WireGuard's plain tools.

Two figures of 2026-11-23, on 2 cores, are not what one would like. With 10,000 machines that run, half a second passes
from "running" to a packet (a few players: 30 ms), of which some 150 ms are to compose the picture, 55 to read once more
what it is made of when its version is allotted, as the order of the two demands, and 60 to 200 the gate's; it was 1.3 s
when each picture was composed twice. And a copy takes 1.05 to 1.1 times as long as by hand: without the gate's rules
it takes 1.0, and no one chain of them stood out from the noise.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from statistics import median

from chatsubo.gate.openvpn import OpenVPNTunnel
from tests.bench import gate_lines, gate_platform, processes
from tests.bench.gate_lines import FIRST, LIMIT, ROUTE, ByHand, asking, by_hand, copy
from tests.bench.report import Report, spread
from tests.real.gate.service import Service
from tests.real.gate.wireguard_player import WireGuardPlayer
from tests.real.gate.world import DK, GATE, INNER, PA, World, new_world
from tests.unit.gate.openvpn.bench import gate_file, new_peer

PROGRAMS = ("dockerd", "ip", "nft", "openvpn", "wg", "wireguard-go")
PEERS = 10_000
NEW = 50
PICTURES = 3
CHANGES = 10
RESTARTS = 3
COPIES = 9
COPIED = 32 << 20
IDLE = 10.0
ISSUED = 300
NAMES = [f"player{number}" for number in range(PEERS)]
MACHINES = IPv4Address("172.31.0.1")


def measure(report: Report) -> None:
    """Measure a gate of each kind alone, then one with the platform."""
    with by_hand() as hand, _gate("wireguard") as service:
        _make(report, service, hand)
        player = _connected(service)
        gate = _Gate(service)
        _pictures(report, gate)
        _restarts(report, gate)
        _idle(report, gate)
        gate.show(INNER[DK], 0)
        _copies(report, service.world, hand.world)
        gate_platform.measure(report, service, NAMES[1:])
        assert player.reaches(str(FIRST))
    with _gate("openvpn") as service:
        _make(report, service)
        _issue(report, service.world.folder / "issue")


@contextmanager
def _gate(kind: str) -> Iterator[Service]:
    """A gate that runs; this thread is in its namespace."""
    with new_world() as world, world.inside(GATE):
        service = Service(world, kind, routes=[ROUTE, "10.203.0.0/16"])
        service.start()
        try:
            yield service
        finally:
            service.http.close()


def _make(report: Report, service: Service, hand: ByHand | None = None) -> None:
    """Make 10,000 peers with one call, then some one by one."""
    kind = service.settings["kind"]
    began = time.perf_counter()
    service.ask("POST", "/api/v1/peers", {"names": NAMES})
    took = time.perf_counter() - began
    now, most = processes.memory(_pid(service))
    report.add(f"{kind}: {PEERS} peers made", f"{took:.2f} s, {PEERS / took:,.0f} a second", "goal: at most 5 s")
    report.add(f"{kind}: memory of the gate with them", f"{now:.0f} MB, at most {most:.0f}", "goal: at most 250 MB")
    if hand is None:
        report.add(f"{kind}: a new peer", spread([_new(service, number) for number in range(NEW)]), "goal: 5 ms")
        return
    report.compare(f"{PEERS} peers", [took], [hand.add(2, PEERS)])
    server = processes.memory(_server(service.world))[0]
    bare = processes.memory(_server(hand.world))[0]
    report.add("wireguard-go with them", f"{server:.0f} MB", f"{bare:.0f} MB where it was set up by hand")
    pairs = [(_new(service, number), hand.add(PEERS + 2 + number, 1)) for number in range(NEW)]
    report.compare("a new peer (goal: 5 ms)", [one for one, _ in pairs], [other for _, other in pairs])


def _new(service: Service, number: int) -> float:
    """Return how long a player's first file takes, in seconds."""
    began = time.perf_counter()
    service.access(f"new{number}")
    return time.perf_counter() - began


def _connected(service: Service) -> WireGuardPlayer:
    """Connect the first player, with the file that the gate gives."""
    player = WireGuardPlayer(service.world, PA, service.access(NAMES[0]))
    player.connect()
    assert player.reaches(str(FIRST), within=LIMIT), "the tunnel does not come up"
    return player


class _Gate:
    """A gate whose first player is connected, and pictures for it: each player has one machine."""

    def __init__(self, service: Service) -> None:
        self.service, self.world = service, service.world
        self.version = 0
        for number in range(PICTURES + CHANGES):
            self.world.run(DK, "ip", "address", "add", f"{self.machine(number)}/24", "dev", "lan")

    @staticmethod
    def machine(number: int) -> str:
        """Return an address of the machine behind the gate."""
        return str(IPv4Address(INNER[DK]) + 1 + number)

    def show(self, own: str, shift: int) -> None:
        """Put a picture of 10,000 pairs.

        Args:
            own: What the first player reaches.
            shift: Another one gives all others other machines.
        """
        self.version += 1
        players = {name: _reach(str(MACHINES + shift * PEERS + place)) for place, name in enumerate(NAMES)}
        self.service.let(self.version, **players | {NAMES[0]: _reach(own)})

    def clear(self) -> None:
        """Let nobody reach anything."""
        self.version += 1
        self.service.let(self.version)

    def until_it_passes(self, own: str, shift: int) -> float:
        """Return how long it takes from putting a picture until the first player's packet passes, in seconds."""
        with asking(self.world, PA, own) as answered:
            began = time.perf_counter()
            self.show(own, shift)
            return answered.result(LIMIT) - began


def _reach(machine: str) -> dict[str, list[str]]:
    return {"two_way": [machine]}


def _pictures(report: Report, gate: _Gate) -> None:
    """Measure a picture when nobody reached anything, against the same pairs fed to ``nft``; then a change in it."""
    ours, bare = [], []
    for number in range(PICTURES):
        gate.clear()
        ours.append(gate.until_it_passes(gate.machine(number), 0))
        bare.append(_fill_by_hand(gate.world))
    report.compare(f"picture of {PEERS} pairs until a packet passes", ours, bare)
    changes = [gate.until_it_passes(gate.machine(PICTURES + number), 0) for number in range(CHANGES)]
    report.add("change of one pair in it until a packet passes", spread(changes))


def _fill_by_hand(world: World) -> float:
    """Return how long ``nft`` takes to put as many pairs into a table of its own, in seconds."""
    pairs = ",\n".join(f"{FIRST + 1 + place} . {MACHINES + place}" for place in range(PEERS))
    lines = ["add table inet hand"]
    for name in ("pairs", "back"):
        lines.append(f"add set inet hand {name} {{ type ipv4_addr . ipv4_addr; }}")
        lines.append(f"add element inet hand {name} {{ {pairs} }}")
    file = world.folder / "hand.nft"
    file.write_text("\n".join([*lines, ""]))
    began = time.perf_counter()
    world.run(GATE, "nft", "-f", str(file))
    took = time.perf_counter() - began
    world.run(GATE, "nft", "delete", "table", "inet", "hand")
    return took


def _restarts(report: Report, gate: _Gate) -> None:
    """Kill the gate, and measure its start until it answers; the player's packets pass all the while."""
    took, passed = [], []
    for _ in range(RESTARTS):
        gate.service.kill()
        began = time.perf_counter()
        gate.service.start()
        took.append(time.perf_counter() - began)
        with asking(gate.world, PA, gate.machine(PICTURES + CHANGES - 1)) as answered:
            passed.append(answered.result(LIMIT) - began)
    report.add(f"gate killed: from its start until it answers, {PEERS} peers", spread(took), "goal: at most 5 s")
    report.add("gate killed: from its start until a packet was seen to pass", spread(passed))
    now, most = processes.memory(_pid(gate.service))
    report.add("memory of the gate after it", f"{now:.0f} MB, at most {most:.0f}", "goal: at most 250 MB")


def _idle(report: Report, gate: _Gate) -> None:
    """Measure what the gate takes while nothing is asked of it."""
    taken = processes.shares({"gate": _pid(gate.service), "wireguard-go": _server(gate.world)}, IDLE)
    told = ", ".join(f"{name} {100 * share:.1f} %" for name, share in taken.items())
    report.add(f"share of a processor, {PEERS} peers, idle", told)


def _copies(report: Report, ours: World, bare: World) -> None:
    """Measure how long a copy through the gate takes and through WireGuard by hand, in turn."""
    gate_lines.copy(ours, COPIED)
    gate_lines.copy(bare, COPIED)
    pairs = [(copy(ours, COPIED), copy(bare, COPIED)) for _ in range(COPIES)]
    rates = [COPIED * 8 / 1e6 / median(series) for series in zip(*pairs, strict=True)]
    report.add("throughput", f"{rates[0]:.0f} Mbit/s", f"{rates[1]:.0f} Mbit/s by hand")
    report.compare(
        "copy through the tunnel", [one for one, _ in pairs], [other for _, other in pairs], round(1 / 0.95, 3)
    )


def _issue(report: Report, folder: Path) -> None:
    """Measure what the keys of OpenVPN's players cost by themselves."""
    tunnel = OpenVPNTunnel(gate_file(folder))
    new_peer(tunnel, 1)
    began = time.perf_counter()
    for number in range(2, ISSUED):
        new_peer(tunnel, number)
    report.add("openvpn: keys of one peer", f"{1000 * (time.perf_counter() - began) / (ISSUED - 2):.2f} ms")


def _pid(service: Service) -> int:
    assert service.process is not None
    return service.process.pid


def _server(world: World) -> int:
    """Return the process of WireGuard in the gate."""
    return processes.one_of(world.pids(GATE), "wireguard-go")
