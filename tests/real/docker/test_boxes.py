"""What a box is given, what it is allowed, and when it is ready."""

import asyncio
import signal
import time
from ipaddress import IPv4Address, IPv4Network

import pytest

from chatsubo.config import ByteSize
from chatsubo.domain.text import Text
from chatsubo.domain.values import make_values
from chatsubo.providers.base import Limits, Readiness
from chatsubo.providers.docker import readiness
from chatsubo.providers.docker.config import Allow, BoxLimits
from chatsubo.providers.docker.containers import Raw
from chatsubo.providers.exc import (
    BuildFailed,
    Misconfigured,
    NoCapacity,
    NotReady,
)
from tests.real.docker.bench import DOCUMENTED, REALM, SERVES_FLAG, SHARED, SLEEPS, Bench, Heard
from tests.real.dockerd import LIMIT

MEBIBYTE = 1024 * 1024


async def test_twenty_starts_at_once_get_addresses_of_their_own(bench: Bench):
    bench.template("shared", SHARED + SERVES_FLAG)
    orders = [bench.order() for _ in range(20)]
    instances = await asyncio.gather(*(bench.start("shared", order) for order in orders))

    assert len({one.address for one in instances}) == 20
    assert {one.session for one in (await bench.provider.list_instances(REALM)).items} >= {one.id for one in orders}
    for order, instance in zip(orders, instances, strict=True):
        assert await bench.read(instance) == order.values["FLAG0"] + "\n"


async def test_two_processes_never_give_one_address_twice(bench: Bench):
    bench.template("shared", SHARED + SERVES_FLAG)
    other = bench.make(name=bench.name)
    for provider in (bench.provider, other):
        await provider.check()
        provider._launcher._addresses._last["chatsubo-gate"] = _first_address(bench)  # type: ignore[union-attr]
    one, two = await asyncio.gather(bench.start("shared", bench.order()), bench.start("shared", bench.order(), other))

    assert one.address != two.address


async def test_a_network_whose_addresses_are_used_up_is_no_capacity(bench: Bench):
    small = bench.engine.subnets[1].replace("/24", "/29")
    provider = bench.make(docker_network="small", subnet=small)
    bench.template("shared", SHARED + SLEEPS)
    orders = [bench.order() for _ in range(6)]
    results = await asyncio.gather(*(bench.start("shared", one, provider) for one in orders), return_exceptions=True)

    refused = [one for one in results if isinstance(one, BaseException)]
    assert len(refused) == 1
    assert isinstance(refused[0], NoCapacity)
    await provider.stop_dynamic_instance(orders[results.index(refused[0]) - 1].id)
    assert (await bench.start("shared", bench.order(), provider)).running


async def test_a_missing_network_without_a_subnet_is_an_error_that_says_so(bench: Bench):
    provider = bench.make(docker_network="nowhere", subnet=None)
    bench.template("shared", SHARED + SLEEPS)

    with pytest.raises(Misconfigured, match=rf"no network nowhere, and providers.docker.{bench.name}.subnet"):
        await bench.start("shared", bench.order(), provider)


async def test_a_taken_port_of_the_host_is_replaced_by_a_free_one(bench: Bench):
    bench.template("published", SHARED + 'LABEL chatsubo.port.80="18080"\n' + SERVES_FLAG)
    provider = bench.make(public_host=bench.engine.host)
    orders = [bench.order(), bench.order()]
    instances = [await bench.start("published", order, provider) for order in orders]
    ports = [one.endpoints[0].port for one in instances]

    assert ports[0] == 18080
    assert ports[1] != 18080
    for order, port in zip(orders, ports, strict=True):
        answer = await asyncio.to_thread(bench.engine.read_from, bench.engine.host, port)
        assert answer.decode() == order.values["FLAG0"] + "\n"
    again = await provider.reset(REALM, "published", bench.again(orders[1], 2))
    assert again.endpoints[0].port == ports[1]


async def test_a_health_check_says_when_a_box_is_ready(bench: Bench):
    check = (
        "HEALTHCHECK --interval=200ms --retries=1 CMD test -e /tmp/ready\nCMD sleep 0.5; touch /tmp/ready; sleep 1000\n"
    )
    bench.template("checked", SHARED + check)
    heard = Heard()
    instance = await bench.start("checked", bench.order(progress=heard))

    assert instance.readiness is Readiness.HEALTHY
    assert heard.stages[-1] == "Waiting for the machine's own health check"
    assert await bench.shell(instance, "ls /tmp/ready") == "/tmp/ready\n"


async def test_a_service_that_never_listens_is_not_ready_and_leaves_nothing(bench: Bench):
    bench.template("deaf", SHARED + "LABEL chatsubo.ready=4444\nCMD echo I am $(cat /root/flag); sleep 1000\n")

    class Held(Heard):
        def stage(self, text: Text) -> None:
            """Hold the provider up, before it looks at the port, until the box has said something."""
            super().stage(text)
            end = time.monotonic() + LIMIT
            while text.params.get("port") == 4444 and not bench.said(order.id):
                assert time.monotonic() < end
                time.sleep(0.02)

    heard = Held()
    order = bench.order(progress=heard)

    with pytest.raises(NotReady, match="nothing listens on port 4444"):
        await bench.start("deaf", order, bench.make(ready_timeout=0.1))
    assert await bench.left_of(order.id) == []
    assert heard.stages[-1] == "Waiting for port 4444"
    assert "I am [FLAG0]" in heard.output


async def test_a_published_port_that_takes_connections_before_the_service_listens_is_not_believed(bench: Bench):
    late = "EXPOSE 80\nCMD while ! test -e /tmp/go; do sleep 0.02; done; nc -ll -p 80 -e cat /root/flag\n"
    bench.template("late", SHARED + "LABEL chatsubo.port.80=18081\n" + late)
    heard = Heard()
    order = bench.order(progress=heard)
    start = asyncio.ensure_future(bench.start("late", order, bench.make(public_host=bench.engine.host)))
    await heard.until("Waiting for port 80")
    for _ in range(20):
        # The engine's own proxy takes it, on the host of the engine.
        with await asyncio.to_thread(bench.engine.namespace.connect, "127.0.0.1", 18081):
            assert not start.done()

    [container] = bench.engine.containers(f"chatsubo.session={order.id}")
    await asyncio.to_thread(bench.engine.execute, container["Id"], "touch /tmp/go")
    instance = await start

    assert instance.readiness is Readiness.LISTENING
    answer = await asyncio.to_thread(bench.engine.read_from, bench.engine.host, instance.endpoints[0].port)
    assert answer.decode() == order.values["FLAG0"] + "\n"


@pytest.fixture
def settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider looks at a box that tells nothing of itself for as long as a busy machine may take to end it."""
    monkeypatch.setattr(readiness, "SETTLING", LIMIT / 2)


@pytest.mark.usefixtures("settling")
async def test_a_box_that_ends_just_after_its_start_is_not_said_to_be_started(bench: Bench):
    bench.template("brief", SHARED + "CMD until test -e /tmp/go; do usleep 10000; done; exit 4\n")
    provider, counted = bench.provider, 0
    inspect = provider._containers.inspect

    async def counting(container: str) -> Raw:
        nonlocal counted
        counted += 1
        raw = await inspect(container)
        if counted == 1:
            await asyncio.to_thread(bench.engine.execute, container, "touch /tmp/go")
        return raw

    provider._containers.inspect = counting  # type: ignore[method-assign]
    with pytest.raises(NotReady, match="exit code 4"):
        await bench.start("brief", bench.order())
    assert counted == 2  # after its start, and after the engine said that it had ended


async def test_a_box_that_ends_as_soon_as_it_was_ready_is_not_said_to_run(bench: Bench):
    bench.template("fleeting", SHARED + SERVES_FLAG)
    log = bench.provider._containers.log

    async def killed(container: str) -> str:
        await asyncio.to_thread(bench.engine.docker, "kill", container)
        return await log(container)

    bench.provider._containers.log = killed  # type: ignore[method-assign]
    order = bench.order()
    with pytest.raises(NotReady, match="ended as soon as it was ready"):
        await bench.start("fleeting", order)
    assert await bench.left_of(order.id) == []


async def test_a_box_whose_program_ends_is_not_ready(bench: Bench):
    bench.template("short", SHARED + "LABEL chatsubo.ready=80\nCMD echo bye; exit 3\n")
    heard = Heard()

    with pytest.raises(NotReady, match="exit code 3"):
        await bench.start("short", bench.order(progress=heard))
    assert "bye" in heard.output


@pytest.mark.usefixtures("settling")
async def test_a_box_whose_program_is_missing_does_not_start(bench: Bench):
    bench.template("wrong", SHARED + 'CMD ["/no/such/program"]\n')
    order = bench.order()

    # A small process 1 is put before it, which ends with 127 when it finds nothing.
    with pytest.raises((BuildFailed, NotReady)):
        await bench.start("wrong", order)
    assert await bench.left_of(order.id) == []


async def test_limits_hold(bench: Bench):
    bench.template("small", SHARED + SLEEPS)
    provider = bench.make(limits=BoxLimits(memory=ByteSize(32 * MEBIBYTE), cpus=0.5, processes=30))
    instance = await bench.start("small", bench.order(), provider)

    fork = "trap 'kill $pids' EXIT; for i in $(seq 60); do sleep 1000 & pids=\"$pids $!\"; done 2>&1"
    assert "fork" in await bench.shell(instance, fork)
    listed = await bench.shell(instance, "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max")
    assert listed.strip() == "30"
    quota = bench.engine.request("GET", f"/containers/{instance.id}/json")["HostConfig"]
    assert quota["NanoCpus"] == 500_000_000
    # What tail is to show it has to keep, and there is no end. It is alone: the kernel might end others for it too.
    eaten = await asyncio.to_thread(
        bench.engine.docker, "exec", str(instance.id), "tail", "-c", "90m", "/dev/zero", check=False
    )
    assert eaten.returncode == 128 + signal.SIGKILL
    ordered = await bench.start("small", bench.order(limits=Limits(processes=40)), provider)
    listed = await bench.shell(ordered, "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max")
    assert listed.strip() == "40"


async def test_capabilities_and_privileges_are_dropped_unless_label_and_configuration_agree(bench: Bench):
    label = "LABEL chatsubo.capabilities=NET_RAW chatsubo.privileges=true\n"
    bench.template("asks", SHARED + label + SLEEPS)
    script = "grep -E 'CapEff|NoNewPrivs' /proc/1/status; ping -c1 -W1 127.0.0.1 >/dev/null && echo pinged"
    refused = await bench.shell(await bench.start("asks", bench.order()), script)
    generous = bench.make(allow=Allow(capabilities=("NET_RAW",), new_privileges=True))
    granted = await bench.shell(await bench.start("asks", bench.order(), generous), script)

    raw = 1 << 13
    assert not int(refused.split()[1], 16) & raw
    assert "NoNewPrivs:\t1" in refused
    assert "pinged" not in refused
    assert int(granted.split()[1], 16) & raw
    assert "NoNewPrivs:\t0" in granted
    assert "pinged" in granted
    warnings = [str(one) for one in (await bench.provider.list_templates()).items[0].warnings]
    assert len(warnings) == 2


async def test_the_instances_of_another_provider_on_the_same_engine_are_not_ours(bench: Bench):
    bench.template("shared", SHARED + SLEEPS)
    other = bench.make(name=f"{bench.name}other")
    order = bench.order()
    await bench.start("shared", order, other)

    assert order.id not in {one.session for one in (await bench.provider.list_instances()).items}
    assert order.id in {one.session for one in (await other.list_instances()).items}


async def test_no_secret_is_in_any_representation(bench: Bench):
    bench.template("box", DOCUMENTED + SLEEPS)
    order = bench.order(values=make_values("x", "FLAG"))
    instance = await bench.start("box", order)

    shown = (
        f"{instance!r} {order!r} {instance.flags!r} {instance.creds!r} {bench.provider!r} {bench.provider.to_json()}"
    )
    assert not any(value in shown for name, value in order.values.items() if name != "SESSION")


def _first_address(bench: Bench) -> IPv4Address:
    return IPv4Network(bench.engine.subnets[0]).network_address + 100
