"""What a root shell in a box reaches: what the engine enforces, what the host's firewall has to, and who says so."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatsubo.providers.docker.config import Allow, Internet
from tests.real.docker.bench import SERVES_FLAG, SHARED, SLEEPS, Bench
from tests.real.dockerd import LIMIT

RULES = Path("docs/en/docker.md")


@contextmanager
def listening(*sockets: socket.socket) -> Iterator[list[str]]:
    """Accept connections on sockets, and yield who came."""
    came: list[str] = []
    for one in sockets:
        one.settimeout(LIMIT)
    try:
        yield came
    finally:
        for one in sockets:
            one.close()


async def reaches(bench: Bench, box: object, address: str, port: int, *, patience: int = 30) -> bool:
    """Say whether a box opens a connection within so many seconds; one that is kept from it waits for all of them."""
    script = f"nc -w {patience} {address} {port} -e true 2>/dev/null && echo reached"
    return "reached" in await bench.shell(box, script)  # type: ignore[arg-type]


def host_rules() -> str:
    """Return the firewall rules that the manual gives operators."""
    text = RULES.read_text()
    return text.partition("```nft\n")[2].partition("```")[0]


async def test_boxes_do_not_reach_each_other(bench: Bench):
    bench.template("serves", SHARED + SERVES_FLAG)
    one = await bench.start("serves", bench.order())
    two = await bench.start("serves", bench.order())

    assert await reaches(bench, one, "127.0.0.1", 80)
    goals = [(one, two), (two, one)]
    seen = await asyncio.gather(*(reaches(bench, here, str(there.address), 80, patience=2) for here, there in goals))
    assert seen == [False, False]
    # The player, who comes from outside, reaches both.
    assert await bench.read(one)
    assert await bench.read(two)


async def test_boxes_have_no_ipv6_and_no_names(bench: Bench):
    bench.template("box", SHARED + SLEEPS)
    one = await bench.start("box", bench.order())

    assert "eth0" not in await bench.shell(one, "cat /proc/net/if_inet6 2>/dev/null")
    assert "nameserver 127.0.0.11" in await bench.shell(one, "cat /etc/resolv.conf")
    assert "Name:" not in await bench.shell(one, "timeout 3 nslookup example.com 2>&1")


async def test_what_leaves_a_box_keeps_its_address_unless_it_may_reach_the_internet(bench: Bench):
    subnet = bench.engine.subnets[3]
    online = bench.make(
        allow=Allow(internet=True), internet=Internet(network="chatsubo-online", subnet=subnet), reachable=False
    )
    bench.template("offline", SHARED + SLEEPS)
    bench.template("online", SHARED + "LABEL chatsubo.internet=true\n" + SLEEPS)
    outside = bench.engine.namespace.outside

    async def seen_from(box: object) -> str:
        with socket.create_server((outside, 0)) as server:
            server.settimeout(LIMIT)
            port = server.getsockname()[1]
            waiting = asyncio.ensure_future(asyncio.to_thread(server.accept))
            await reaches(bench, box, outside, port)
            connection, peer = await waiting
            connection.close()
            return str(peer[0])

    refused = await bench.start("offline", bench.order())
    unallowed = await bench.start("online", bench.order())
    granted = await bench.start("online", bench.order(), online)

    # A source of our own private network is answered by nobody on the internet.
    assert await seen_from(refused) == refused.address
    assert await seen_from(unallowed) == unallowed.address
    assert await seen_from(granted) == bench.engine.host
    assert granted.address
    assert granted.address.startswith(subnet.rpartition(".")[0])


async def test_the_host_is_reached_until_its_firewall_has_the_rules_of_the_manual(bench: Bench):
    bench.template("serves", SHARED + SERVES_FLAG)
    order = bench.order()
    box = await bench.start("serves", order)
    gateway = f"{str(box.address).rpartition('.')[0]}.1"
    bench.engine.run_in_namespace("ip", "address", "add", "169.254.169.254/32", "dev", "lo", check=False)
    inside = [bench.engine.namespace.listen("0.0.0.0", 7777)]
    outside = socket.create_server((bench.engine.namespace.outside, 0))
    goals = [
        (gateway, 7777),
        (bench.engine.host, 7777),
        ("169.254.169.254", 7777),
        (bench.engine.namespace.outside, outside.getsockname()[1]),
    ]
    with listening(*inside, outside):
        # What the engine's API does not enforce, and ``doctor`` says so.
        assert await asyncio.gather(*(reaches(bench, box, *goal) for goal in goals)) == [True] * 4
        told = [str(one.text) for one in (await bench.provider.check()).findings if not one.ok]
        assert told == ["Nobody keeps boxes from the addresses of their host, its neighbours and link-local addresses."]

        bench.engine.run_in_namespace("nft", "-f", "-", input=host_rules())
        try:
            assert await asyncio.gather(*(reaches(bench, box, *goal, patience=2) for goal in goals)) == [False] * 4
            assert await bench.read(box) == order.values["FLAG0"] + "\n"
        finally:
            bench.engine.run_in_namespace("nft", "delete", "table", "inet", "chatsubo_boxes")
    findings = (await bench.make(host_firewall=True).check()).findings
    assert all(one.ok for one in findings)


async def test_a_network_that_keeps_nobody_apart_is_found(bench: Bench):
    bench.engine.docker("network", "create", "--subnet", bench.engine.subnets[4], "open")
    try:
        findings = (await bench.make(docker_network="open", host_firewall=True).check()).findings
    finally:
        bench.engine.docker("network", "rm", "open")

    assert [str(one.text) for one in findings if not one.ok] == [
        "Boxes in the network open reach each other.",
        "Boxes in the network open reach whatever their host reaches, the internet too.",
    ]
