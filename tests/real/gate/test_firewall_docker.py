"""The gate's firewall on the host of a Docker Engine: whoever came first, whatever the engine does to forwarding."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Iterator

import pytest

from chatsubo.gate.firewall import forwards, obstacles, start_forwarding
from tests.needs import need
from tests.real.dockerd import Dockerd
from tests.real.gate.players import Players, new_players, new_socket
from tests.real.gate.wall import LIMIT, Wall, is_quiet

pytestmark = [need.dockerd, need.nftables]

PORT = 80
A, B = "box-a", "box-b"
RULE = "-A DOCKER-USER -m mark --mark 0x400000/0x400000 -m comment --comment chatsubo-gate-vpn66 -j ACCEPT"


class DockerHost(Wall):
    """A host with a gate and a Docker Engine, which is not started yet.

    Attributes:
        boxes: The addresses of A's box and B's, by version.
    """

    def __init__(self, engine: Dockerd, players: Players, open_sockets: contextlib.ExitStack) -> None:
        super().__init__(players, open_sockets)
        self.engine = engine
        four = engine.subnets[0].rpartition(".")[0]
        self.boxes = {4: (f"{four}.10", f"{four}.11"), 6: ("fd00:31::10", "fd00:31::11")}

    def start(self) -> None:
        """Start the engine and the boxes, which echo what they are told."""
        # By themselves old engines leave IPv6 alone; later ones do not.
        (self.engine.folder / "daemon.json").write_text(json.dumps({"experimental": True, "ip6tables": True}))
        self.engine.start()
        self.engine.make_base_image("alpine:latest")
        # Later ones have this chain for IPv6 too.
        if not self.has_chain6():
            for change in ("-N DOCKER-USER", "-A DOCKER-USER -j RETURN", "-I FORWARD -j DOCKER-USER"):
                self.gate.run("ip6tables", *change.split())
        subnets = ("--subnet", self.engine.subnets[0], "--ipv6", "--subnet", "fd00:31::/64")
        self.engine.docker("network", "create", *subnets, "boxes")
        for name, place in ((A, 0), (B, 1)):
            addresses = ("--ip", self.boxes[4][place], "--ip6", self.boxes[6][place])
            server = ("sh", "-c", f"exec nc -ll -p {PORT} -e cat")
            self.engine.docker("run", "-d", "--name", name, "--net", "boxes", *addresses, "alpine", *server)
            self.engine.execute(name, f"until netstat -ltn | grep -q :{PORT}; do usleep 10000; done")

    def has_chain6(self) -> bool:
        """Return whether DOCKER-USER is there for IPv6."""
        return self.gate.run("ip6tables", "-S", "DOCKER-USER", check=False).returncode == 0

    async def echoes(self, version: int) -> None:
        """See A's box answer A, and that it sees A's own address."""
        caller = self.keep(new_socket(self.a.host, version))
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LIMIT):
            await loop.sock_connect(caller, (self.boxes[version][0], PORT))
            await loop.sock_sendall(caller, b"hello")
            assert await loop.sock_recv(caller, 100) == b"hello"
        assert f"{self.a.at(version)}:{caller.getsockname()[1]} " in self.engine.execute(A, "netstat -tn")

    def calls_back(self, box: str, version: int, port: int) -> None:
        """Have a box open a shell to A."""
        self.engine.docker("exec", "-d", box, "nc", self.a.at(version), str(port), "-e", "sh")

    def ruleset(self) -> str:
        """Return all rules of the host."""
        return self.gate.run("nft", "--stateless", "list", "ruleset").stdout

    def rules(self, program: str) -> list[str]:
        """Return the rules of DOCKER-USER."""
        return self.gate.run(program, "-S", "DOCKER-USER").stdout.splitlines()[1:]


@pytest.fixture(params=[False, True], ids=["forwarding was off", "forwarding was on"])
def docker(request: pytest.FixtureRequest) -> Iterator[DockerHost]:
    """A host with players, with forwarding off or on; the test is in it."""
    engine = Dockerd(forwarding=request.param)
    try:
        engine._prepare()
        with (
            new_players(engine.namespace, secrets.token_hex(3)) as players,
            contextlib.ExitStack() as open_sockets,
            engine.namespace.inside(),
        ):
            yield DockerHost(engine, players, open_sockets)
    finally:
        engine.remove()


async def test_players_reach_their_boxes_and_boxes_their_players_without_translation(docker: DockerHost):
    docker.start()
    policy = docker.gate.run("iptables", "-S", "FORWARD").stdout.splitlines()[0]
    assert policy == ("-P FORWARD ACCEPT" if docker.engine.forwarding else "-P FORWARD DROP")
    start_forwarding(6)
    both = [docker.pair(docker.a, docker.boxes[version][0], back=True) for version in (4, 6)]
    await docker.firewall.install(both)
    loop = asyncio.get_running_loop()

    for version in (4, 6):
        await docker.echoes(version)
        other = docker.boxes[version][1]
        await docker.drops("unpaired", docker.dial, docker.a.host, version, other, PORT)

        server = docker.listen(docker.a.host, docker.a.at(version))
        port = server.getsockname()[1]
        await docker.drops("unpaired", docker.calls_back, B, version, port)
        assert is_quiet(server)

        docker.calls_back(A, version, port)
        async with asyncio.timeout(LIMIT):
            shell, peer = await loop.sock_accept(server)
            docker.keep(shell)
            assert peer[0] == docker.boxes[version][0]
            await loop.sock_sendall(shell, b"cat /etc/os-release\n")
            assert b"Made for tests" in await loop.sock_recv(shell, 1000)

        one_way = docker.pair(docker.a, docker.boxes[version][0])
        await docker.firewall.change([one_way], [])
        await docker.drops("unpaired", shell.send, b"cat /etc/os-release\n")
        assert is_quiet(shell)
        await docker.echoes(version)


async def test_an_engine_that_comes_later_gets_one_rule_and_keeps_nothing_of_the_gate(docker: DockerHost):
    pairs = [docker.pair(docker.a, docker.boxes[4][0])]
    await docker.firewall.install(pairs)
    docker.start()
    table = docker.gate.run("nft", "--stateless", "list", "table", "inet", "chatsubo_gate_vpn66").stdout
    without_gate = docker.ruleset().replace(table, "")
    assert docker.rules("iptables") == docker.rules("ip6tables") == ["-A DOCKER-USER -j RETURN"]

    await docker.firewall.tend()
    await docker.firewall.tend()

    assert docker.rules("iptables") == docker.rules("ip6tables") == [RULE, "-A DOCKER-USER -j RETURN"]
    await docker.echoes(4)
    assert await docker.firewall.matches(pairs)

    await docker.firewall.remove()
    assert docker.ruleset() == without_gate


async def test_the_rule_is_there_again_whatever_the_engine_or_its_owner_did(docker: DockerHost):
    docker.start()
    await docker.firewall.install([])
    docker.engine.restart()
    assert docker.rules("iptables") == [RULE, "-A DOCKER-USER -j RETURN"]

    docker.gate.run("iptables", "-F", "DOCKER-USER")
    await docker.firewall.tend()
    assert docker.rules("iptables") == [RULE]

    # The rule of another gate on this host stays.
    other = RULE.replace("vpn66", "vpn67")
    docker.gate.run("iptables", *other.split())
    await docker.firewall.remove()
    assert docker.rules("iptables") == [other]


async def test_what_is_in_the_way_of_players_is_found(docker: DockerHost):
    gate = docker.gate

    async def seen() -> list[str]:
        return [str(one.text) for one in await obstacles(docker.players.interface, six=True)]

    before = [f"This host does not pass IPv{version} packets on." for version in (4, 6)]
    assert await seen() == (before[1:] if docker.engine.forwarding else before)
    for version in (4, 6):
        start_forwarding(version)
        assert forwards(version)
        assert forwards(version, docker.players.interface)
    assert await seen() == []

    gate.run("iptables", "-P", "FORWARD", "DROP")
    assert await seen() == ["nft chain ip filter FORWARD drops what it does not know, the players' packets too."]
    # The gate's rule in DOCKER-USER is good for this one.
    docker.engine.start()
    assert await seen() == []

    gate.run("nft", "add table inet mine; add chain inet mine f { type filter hook forward priority 5; policy drop; }")
    gate.run("ip6tables-legacy", "-P", "FORWARD", "DROP")
    dropped = "-d 10.203.1.9/32 ! -i docker0 -j DROP"
    gate.run(*f"iptables -t raw -A PREROUTING {dropped}".split())
    assert await seen() == [
        "nft chain inet mine f drops what it does not know, the players' packets too.",
        "ip6tables-legacy FORWARD drops what it does not know, the players' packets too.",
        "Docker drops what comes to its containers from other interfaces.",
    ]
    trusted = f"-d 10.203.1.9/32 -i {docker.players.interface} -j ACCEPT"
    gate.run(*f"iptables -t raw -I PREROUTING {trusted}".split())
    assert len(await seen()) == 2
