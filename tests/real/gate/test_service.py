"""The gate as an operator runs it, and players who connect with the plain clients and the files that it gave them."""

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import httpx
import pytest

from tests.needs import need
from tests.real.gate.openvpn import Client
from tests.real.gate.service import Service
from tests.real.gate.wireguard_player import WireGuardPlayer
from tests.real.gate.world import DK, GATE, INNER, PA, PB, World
from tests.real.server import WAIT_LIMIT

pytestmark = [need.wireguard, need.openvpn, need.nftables]
OWN = "10.66.0.1"
MACHINE = INNER[DK]
KINDS = ["wireguard", "openvpn"]
PLAYERS = 1000


@pytest.fixture
def services(in_the_gate: World) -> Iterator[list[Service]]:
    made: list[Service] = []
    yield made
    for one in made:
        one.http.close()


@pytest.fixture
def service(services: list[Service], in_the_gate: World, kind: str) -> Service:
    services.append(Service(in_the_gate, kind))
    services[-1].start()
    return services[-1]


def join(world: World, host: str, text: str) -> None:
    """Connect a player with the file that the gate gave, and wait until the tunnel carries packets."""
    if "[Interface]" in text:
        WireGuardPlayer(world, host, text).connect()
    else:
        Client(world, host, text)
    assert world.reaches(host, OWN, within=60), "the tunnel does not come up"


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    limit = time.monotonic() + WAIT_LIMIT
    while not holds():
        assert time.monotonic() < limit, "it never holds"
        time.sleep(0.02)


class Line:
    """A TCP connection from one host to another, if there is a way."""

    def __init__(self, world: World, host: str, other: str, address: str) -> None:
        with world.listen(other, address) as listening:
            self.near = world.connect(host, address, listening.getsockname()[1], timeout=30)
            self.far, self.source = listening.accept()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.near.close()
        self.far.close()

    def works(self, *, within: float = 60.0) -> bool:
        for one, other in ((self.near, self.far), (self.far, self.near)):
            one.sendall(b"word")
            other.settimeout(within)
            try:
                if other.recv(4, socket.MSG_WAITALL) != b"word":
                    return False
            except TimeoutError:
                return False
        return True


@pytest.mark.parametrize("kind", KINDS)
def test_players_reach_their_machines_and_nothing_else_whatever_becomes_of_the_gate(
    service: Service, in_the_gate: World
) -> None:
    world = in_the_gate
    files = {PA: service.access("alice"), PB: service.access("bob")}
    for host, text in files.items():
        join(world, host, text)
    assert not world.reaches(PA, MACHINE, within=2)
    service.let(1, alice={"two_way": [MACHINE]})
    with Line(world, PA, DK, MACHINE) as line:
        assert line.works()
        assert line.source[0] == "10.66.0.2", "the machine sees the player as it is"
        assert not world.reaches(PB, MACHINE, within=2)
        assert not world.reaches(PB, "10.66.0.2", within=2)
        service.kill()
        assert line.works(), "players go on without the gate"
        service.start()
        assert line.works(), "the next gate takes up what runs"
        assert {PA: service.access("alice"), PB: service.access("bob")} == files
        with Line(world, DK, PA, "10.66.0.2") as reverse:
            assert reverse.works()
            assert reverse.source[0] == MACHINE, "the player sees the machine as it is"
            service.let(2, alice={"one_way": [MACHINE]})
            assert not reverse.works(within=2)
        assert line.works()
        service.let(3)
        assert not line.works(within=2), "a pair that is taken away cuts what is open"
    service.stop()
    assert world.reaches(PA, OWN, within=60)
    service.command("down")
    assert not world.reaches(PA, OWN, within=2)


@pytest.mark.parametrize("kind", KINDS)
def test_new_keys_end_the_old_ones_at_once(service: Service, in_the_gate: World) -> None:
    join(in_the_gate, PA, service.access("alice"))
    renewed = service.ask("POST", "/api/v1/configs/alice")["config"]
    assert not in_the_gate.reaches(PA, OWN, within=2)
    join(in_the_gate, PB, renewed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_players_outlive_a_kill(service: Service) -> None:
    names = [f"player{n}" for n in range(PLAYERS)]
    before = service.ask("POST", "/api/v1/peers", {"names": names})
    service.kill()
    service.start()
    after = service.ask("GET", "/api/v1/peers")
    assert {one["name"]: one["addresses"] for one in after} == {one["name"]: one["addresses"] for one in before}


@pytest.mark.parametrize("kind", KINDS)
def test_fifty_who_ask_at_once_get_an_access_each(service: Service) -> None:
    with ThreadPoolExecutor(50) as threads:
        files = list(threads.map(service.access, (f"player{n}" for n in range(50))))
    assert len(set(files)) == 50


@pytest.mark.parametrize("kind", ["wireguard"])
def test_rules_that_somebody_flushes_are_back_at_once(service: Service, in_the_gate: World) -> None:
    in_the_gate.run(GATE, "nft", "flush", "ruleset")
    table = f"chatsubo_gate_{service.settings['interface']}"
    until(lambda: in_the_gate.run(GATE, "nft", "list", "table", "inet", table, check=False).returncode == 0)


@pytest.mark.parametrize("kind", ["wireguard"])
def test_who_is_connected_is_told(service: Service, in_the_gate: World) -> None:
    join(in_the_gate, PA, service.access("alice"))
    service.access("bob")
    until(lambda: service.ask("GET", "/api/v1/peers?online=true"))
    assert [one["name"] for one in service.ask("GET", "/api/v1/peers?online=true")] == ["alice"]
    told = service.command("status").stdout
    assert "alice" in told
    assert "bob" not in told
    assert "1 connected, 2 of" in told


@pytest.mark.parametrize("kind", ["wireguard"])
def test_two_gates_do_not_share_what_they_remember(service: Service) -> None:
    done = service.command("serve", check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "another gate uses" in done.stderr


def test_an_interface_that_is_somebody_elses_is_left_alone(services: list[Service], in_the_gate: World) -> None:
    services.append(service := Service(in_the_gate, "wireguard"))
    in_the_gate.run(GATE, "ip", "link", "add", service.settings["interface"], "type", "bridge")
    done = service.command("serve", check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert service.settings["interface"] in done.stderr
    assert "bridge" in in_the_gate.run(GATE, "ip", "-d", "link", "show", service.settings["interface"]).stdout


@pytest.mark.parametrize("subnet", ["172.30.0.0/16", "172.30.0.0/28"])
def test_a_subnet_that_would_cut_the_host_off_is_refused(
    services: list[Service], in_the_gate: World, subnet: str
) -> None:
    services.append(service := Service(in_the_gate, "wireguard", subnet=subnet, routes=[]))
    done = service.command("serve", check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "172.30.0.0/24" in done.stderr
    assert "chatsubo_gate" not in in_the_gate.run(GATE, "nft", "list", "tables").stdout
    assert in_the_gate.reaches(GATE, INNER[DK], within=10)


def test_a_damaged_state_file_is_told(services: list[Service], in_the_gate: World) -> None:
    services.append(service := Service(in_the_gate, "wireguard"))
    service.state.mkdir()
    (service.state / "gate.db").write_bytes(b"SQLite format 3\0" + b"half" * 1000)
    done = service.command("serve", check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "gate.db" in done.stderr


def test_a_gate_speaks_https_where_it_has_a_certificate(services: list[Service], in_the_gate: World) -> None:
    key, cert = (in_the_gate.folder / name for name in ("key.pem", "cert.pem"))
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=gate", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    listen = {"port": 7474, "cert": str(cert), "key": str(key)}
    services.append(service := Service(in_the_gate, "wireguard", listen=listen))
    service.start()
    trusting = ssl.create_default_context(cafile=str(cert))
    with httpx.Client(verify=trusting, headers=service.http.headers, trust_env=False) as client:
        assert client.get("https://127.0.0.1:7474/api/check").json() == {"errors": []}
    assert "is well" in service.command("status").stdout
