"""The platform, its gate and a Docker Engine behind it: players start boxes, and reach those through the tunnel."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.needs import need
from tests.real.dockerd import Dockerd
from tests.real.game.conftest import docker_provider
from tests.real.gate.openvpn import Client
from tests.real.gate.service import TOKEN, Service
from tests.real.gate.wireguard_player import WireGuardPlayer
from tests.real.gate.world import PA, PB, World
from tests.real.namespace import run
from tests.real.server import Server, Visitor

pytestmark = [need.wireguard, need.openvpn, need.nftables]

PORT = 8000
ECHO = f"""\
FROM alpine
ARG FLAG0
ARG SESSION
LABEL chatsubo.session="$SESSION" chatsubo.flags.root.value="$FLAG0" chatsubo.flags.root.points="100"
EXPOSE {PORT}
CMD ["nc", "-ll", "-p", "{PORT}", "-e", "cat"]
"""
PLAYERS = "10.66.0.0/16"
ENGINE, BEFORE_IT = "192.0.2.2", "192.0.2.1"


@pytest.fixture
def behind(dockerd: Dockerd, in_the_gate: World) -> Iterator[Dockerd]:
    """An engine that the gate reaches, and whose machines reach players through the gate."""
    leg = in_the_gate.device("eng")
    run("ip", "link", "add", leg, "type", "veth", "peer", "name", "gate", "netns", dockerd.namespace.name)
    run("ip", "address", "add", f"{BEFORE_IT}/30", "dev", leg)
    run("ip", "link", "set", leg, "up")
    for line in (f"address add {ENGINE}/30 dev gate", "link set gate up", f"route add {PLAYERS} via {BEFORE_IT}"):
        dockerd.namespace.run("ip", *line.split())
    for network in (f"{dockerd.host}/32", dockerd.subnets[0]):
        run("ip", "route", "add", network, "via", ENGINE)
    try:
        yield dockerd
    finally:
        run("ip", "link", "delete", leg)


@pytest.fixture(params=["wireguard", "openvpn"])
def service(request: pytest.FixtureRequest, behind: Dockerd, in_the_gate: World) -> Iterator[Service]:
    """The gate."""
    made = Service(in_the_gate, request.param, routes=[behind.subnets[0]], subnet=PLAYERS)
    made.start()
    yield made
    made.http.close()


@pytest.fixture
def server(service: Service, behind: Dockerd, tmp_path: Path) -> Iterator[Server]:
    """The platform, on the gate's host."""
    (tmp_path / "templates" / "echo").mkdir(parents=True)
    (tmp_path / "templates" / "echo" / "Dockerfile").write_text(ECHO)
    gate = {"realm": "wz01", "url": str(service.http.base_url), "token": TOKEN}
    made = Server(tmp_path, docker_provider(behind, tmp_path / "templates"), vpns=[gate])
    try:
        yield made.start()
    finally:
        made.close()
        behind.remove_containers()


def join(world: World, host: str, player: Visitor) -> None:
    """Connect a player with the file that the platform gives, and wait until the platform knows."""
    text = player.http.get("/api/v1/realms/wz01/vpn").text
    if "[Interface]" in text:
        WireGuardPlayer(world, host, text).connect()
    else:
        Client(world, host, text)
    assert world.reaches(host, "10.66.0.1", within=60), "the tunnel does not come up"
    player.until("/realms", lambda realms: realms[0]["connected"])


def echoes(line: socket.socket, *, within: float) -> bool:
    """Say whether the machine at the other end answers."""
    line.settimeout(within)
    with contextlib.suppress(OSError):
        line.sendall(b"word")
        return line.recv(4, socket.MSG_WAITALL) == b"word"
    return False


def dial(world: World, host: str, address: str, *, within: float = 60.0) -> socket.socket:
    """Return a connection to a machine."""
    return world.connect(host, address, PORT, timeout=within)


def is_barred(world: World, host: str, address: str) -> bool:
    """Say whether there is no way to a machine."""
    try:
        dial(world, host, address, within=2).close()
    except OSError:
        return True
    return False


def test_players_reach_their_own_machines_while_they_run_and_nobody_elses(
    server: Server, service: Service, behind: Dockerd, in_the_gate: World
) -> None:
    world = in_the_gate
    finn = server.organiser()
    slug = server.release(finn, "echo")
    case, molly = server.visitor().register("case"), server.visitor().register("molly")
    for host, player in ((PA, case), (PB, molly)):
        join(world, host, player)

    boxes = {PA: case.start(slug)["address"], PB: molly.start(slug)["address"]}
    lines = {host: dial(world, host, address) for host, address in boxes.items()}
    assert all(echoes(line, within=60) for line in lines.values())
    assert is_barred(world, PA, boxes[PB])
    assert is_barred(world, PB, boxes[PA])

    # The stop ends what is open.
    case.http.delete(f"/api/v1/boxes/{slug}/session")
    case.wait(slug, "gone")
    assert not echoes(lines[PA], within=2)
    assert is_barred(world, PA, boxes[PA])
    assert echoes(lines[PB], within=60)

    # An organiser ends it too, while the machine goes on.
    (gate,) = finn.get("/admin/gates")
    (account,) = [one["account_id"] for one in gate["players"] if one["username"] == "molly"]
    assert (gate["enforces"], gate["online"], gate["problem"]) == (True, 2, None)
    finn.post(f"/admin/realms/wz01/players/{account}/cut-off")
    finn.until("/admin/gates", lambda gates: gates[0]["up_to_date"] and gates[0]["peers"] == 1)
    assert not echoes(lines[PB], within=2)
    assert len(behind.containers("chatsubo.session")) == 1
    for line in lines.values():
        line.close()


def test_a_gate_that_was_killed_is_told_what_it_missed(server: Server, service: Service, in_the_gate: World) -> None:
    world, slug = in_the_gate, server.release(server.organiser(), "echo")
    case = server.visitor().register("case")
    join(world, PA, case)
    service.kill()
    case.until("/realms", lambda realms: realms[0]["away"])

    address = case.start(slug)["address"]
    service.start()

    with dial(world, PA, address) as line:
        assert echoes(line, within=60)
