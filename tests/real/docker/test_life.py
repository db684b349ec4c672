"""The life of a dynamic instance on a real engine."""

import asyncio
import json
from pathlib import Path

import pytest

from chatsubo.config import ByteSize
from chatsubo.domain.values import make_values
from chatsubo.providers.base import Limits, Readiness
from chatsubo.providers.docker.config import Allow, BoxLimits
from chatsubo.providers.exc import (
    BuildFailed,
    Cancelled,
    Misconfigured,
    NoCapacity,
    NotReady,
    TemplateNotFound,
    TimedOut,
)
from tests.real.docker.bench import DOCUMENTED, LABELS, REALM, SERVES_FLAG, SHARED, SLEEPS, Bench, Heard

MEBIBYTE = 1024 * 1024


async def test_the_documented_dockerfile_works_unchanged(bench: Bench):
    # Its base image brings what it serves.
    bench.engine.make_base_image(
        "alpine:serves", ['CMD ["nc", "-ll", "-p", "80", "-e", "cat", "/root/flag"]', "EXPOSE 80"]
    )
    bench.template("hello", DOCUMENTED.replace("FROM alpine", "FROM alpine:serves"))
    heard = Heard()
    order = bench.order(progress=heard)

    listed = (await bench.provider.list_templates()).items
    instance = await bench.start("hello", order)

    assert [(one.name, one.flags[0].value, one.creds[0].password) for one in listed] == [("hello", "", "toor")]
    assert (instance.template, instance.realm, instance.session, instance.generation) == ("hello", REALM, order.id, 1)
    assert [(one.name, one.value, one.points) for one in instance.flags] == [("first", order.values["FLAG0"], 250)]
    assert [(one.username, one.password) for one in instance.creds] == [("level0", order.values["RNG0"])]
    assert await bench.read(instance) == order.values["FLAG0"] + "\n"
    assert heard.stages == ["Building the machine", "Starting the machine", "Waiting for port 80"]


async def test_baked_values_are_in_the_files_and_leave_with_the_session(bench: Bench):
    bench.template("baked", DOCUMENTED + SERVES_FLAG)
    heard = Heard()
    order = bench.order(progress=heard)
    instance = await bench.start("baked", order)

    assert await bench.read(instance) == order.values["FLAG0"] + "\n"
    assert instance.readiness is Readiness.LISTENING
    assert [(one.name, one.host, one.port) for one in instance.endpoints] == [("http", instance.address, 80)]
    assert "Step" in heard.output
    assert not any(value in heard.output for name, value in order.values.items() if name != "SESSION")

    await bench.provider.stop_dynamic_instance(order.id)
    assert await bench.left_of(order.id) == []
    history = [image for image in bench.engine.images() if order.values["FLAG0"] in json.dumps(image)]
    assert history == []


async def test_one_image_serves_all_sessions_where_nothing_is_baked(bench: Bench):
    bench.template("shared", SHARED + "ARG RNG0\nENV PASSWORD=x-$RNG0\n" + SERVES_FLAG)
    orders = [bench.order() for _ in range(3)]
    instances = [await bench.start("shared", order) for order in orders]

    images = {container["ImageID"] for container in bench.engine.containers(f"chatsubo.provider={bench.name}")}
    assert len(images) == 1
    for order, instance in zip(orders, instances, strict=True):
        assert await bench.read(instance) == order.values["FLAG0"] + "\n"
        assert instance.flags[0].value == order.values["FLAG0"]
        assert await bench.shell(instance, "echo $PASSWORD") == f"x-{order.values['RNG0']}\n"
        assert (await bench.shell(instance, "stat -c '%a %u' /root/flag")).strip() == "400 0"
    assert "chatsubo-value" not in json.dumps(bench.engine.containers(f"chatsubo.provider={bench.name}"))


async def test_the_shared_image_is_built_once_for_starts_at_once_and_again_when_its_folder_changes(bench: Bench):
    bench.template("shared", SHARED + "COPY data /data\n" + SERVES_FLAG, data="one")
    heard = [Heard() for _ in range(4)]
    orders = [bench.order(progress=one) for one in heard]
    instances = await asyncio.gather(*(bench.start("shared", order) for order in orders))

    assert {one.output.count("Successfully tagged") for one in heard} == {1}
    tags = {tag for image in bench.engine.images() for tag in image["RepoTags"] or () if "/shared-" in tag}
    assert len(tags) == 1
    for order in orders:
        await bench.provider.stop_dynamic_instance(order.id)

    bench.template("shared", "", data="another")
    instance = await bench.start("shared", bench.order())

    assert await bench.shell(instance, "cat /data") == "another"
    again = {tag for image in bench.engine.images() for tag in image["RepoTags"] or () if "/shared-" in tag}
    assert len(again) == 1
    assert again != tags
    assert len(instances) == 4


async def test_what_comes_before_the_secrets_is_built_once_for_all_sessions(bench: Bench):
    text = "FROM alpine\nRUN echo expensive > /expensive\n" + DOCUMENTED.removeprefix("FROM alpine\n") + SLEEPS
    bench.template("layers", text)
    for _ in range(2):
        heard = Heard()
        order = bench.order(progress=heard)
        await bench.start("layers", order)
        await bench.provider.stop_dynamic_instance(order.id)

    session_build = heard.output
    assert "Using cache" in session_build
    assert "RUN echo expensive > /expensive\n ---> Using cache" in session_build


async def test_a_copy_of_everything_brings_what_the_author_sees(bench: Bench):
    bench.template(
        "copy", SHARED + "COPY . /all\n" + SLEEPS, note="kept", **{".dockerignore": "secret\n"}, secret="out"
    )
    instance = await bench.start("copy", bench.order())

    assert (await bench.shell(instance, "ls -A /all")).split() == [".dockerignore", "Dockerfile", "note"]


async def test_a_ready_image_gets_its_values_as_labels_environment_and_files(bench: Bench):
    bench.engine.make_base_image("ready:1", ['CMD ["sleep", "1000"]', "EXPOSE 22/tcp"])
    yaml = (
        'image: ready:1\nlabels:\n  chatsubo.flags.user.value: "$FLAG1"\n  chatsubo.flags.user.points: 10\n'
        "  chatsubo.file.FLAG1: /srv/flag\n  chatsubo.file.FLAG1.owner: 1000:1000\nenv:\n  TOKEN: t-${RNG2}\n"
    )
    bench.template("ready", "", **{"image.yml": yaml})
    provider = bench.make(reachable=False)
    order = bench.order()
    instance = await bench.start("ready", order, provider)

    assert instance.readiness is Readiness.STARTED
    assert instance.flags[0].value == order.values["FLAG1"]
    assert await bench.shell(instance, "cat /srv/flag; stat -c %u /srv/flag; echo $TOKEN") == (
        f"{order.values['FLAG1']}\n1000\nt-{order.values['RNG2']}\n"
    )


async def test_a_ready_image_that_cannot_be_fetched_is_told(bench: Bench):
    bench.template("absent", "", **{"image.yml": "image: 127.0.0.1:9/absent:1"})

    with pytest.raises(TemplateNotFound, match="absent"):
        await bench.start("absent", bench.order())


async def test_a_start_is_idempotent_and_adopts_what_runs(bench: Bench):
    bench.template("shared", SHARED + SERVES_FLAG)
    order = bench.order()
    first, second = await asyncio.gather(bench.start("shared", order), bench.start("shared", order))
    third = await bench.start("shared", order, bench.make(name=bench.name))

    assert first.id == second.id == third.id
    assert len(bench.engine.containers(f"chatsubo.session={order.id}")) == 1


async def test_a_half_made_container_is_made_anew(bench: Bench):
    bench.template("shared", SHARED + SERVES_FLAG)
    order = bench.order()
    instance = await bench.start("shared", order)
    await asyncio.to_thread(bench.engine.docker, "kill", str(instance.id))
    again = await bench.start("shared", order)

    assert again.id != instance.id
    assert await bench.read(again) == order.values["FLAG0"] + "\n"


async def test_a_worker_that_woke_up_late_does_not_undo_a_later_generation(bench: Bench):
    bench.template("shared", SHARED + SERVES_FLAG)
    order = bench.order()
    later = bench.again(order, 5)
    instance = await bench.start("shared", later)

    with pytest.raises(Cancelled):
        await bench.start("shared", order)
    assert await bench.read(instance) == order.values["FLAG0"] + "\n"


@pytest.mark.parametrize("text", [SHARED, DOCUMENTED], ids=["shared", "baked"])
async def test_a_reset_brings_back_the_initial_state_with_flags_and_address(bench: Bench, text: str):
    bench.template("box", text + SERVES_FLAG)
    order = bench.order()
    instance = await bench.start("box", order)
    await bench.shell(instance, "rm /bin/ls; echo owned > /root/flag; echo x > /tmp/new")
    other = await bench.start("box", bench.order())

    again = await bench.provider.reset(REALM, "box", bench.again(order, 2))

    assert again.id != instance.id
    assert again.address == instance.address != other.address
    assert again.generation == 2
    assert [one.value for one in again.flags] == [one.value for one in instance.flags]
    assert await bench.read(again) == order.values["FLAG0"] + "\n"
    assert (await bench.shell(again, "ls /tmp; ls /bin/ls")).split() == ["/bin/ls"]
    assert len(bench.engine.containers(f"chatsubo.session={order.id}")) == 1


async def test_a_reset_of_what_is_gone_makes_it_anew(bench: Bench):
    bench.template("box", SHARED + SERVES_FLAG)
    order = bench.order()
    again = await bench.provider.reset(REALM, "box", bench.again(order, 2))

    assert await bench.read(again) == order.values["FLAG0"] + "\n"


async def test_a_reset_whose_build_fails_leaves_the_machine_as_it_is(bench: Bench):
    bench.template("box", SHARED + SERVES_FLAG)
    order = bench.order()
    instance = await bench.start("box", order)
    bench.template("box", SHARED + "RUN false\n")

    with pytest.raises(BuildFailed):
        await bench.provider.reset(REALM, "box", bench.again(order, 2))
    assert await bench.read(instance) == order.values["FLAG0"] + "\n"


async def test_stopping_what_is_gone_is_a_success(bench: Bench):
    await bench.provider.stop_dynamic_instance(bench.order().id)


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
    assert await bench.start("shared", bench.order(), provider)


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
    heard = Heard()
    order = bench.order(progress=heard)

    with pytest.raises(NotReady, match="nothing listens on port 4444"):
        await bench.start("deaf", order, bench.make(ready_timeout=1.0))
    assert await bench.left_of(order.id) == []
    assert heard.stages[-1] == "Waiting for port 4444"
    assert "I am ***" in heard.output


async def test_a_box_whose_program_ends_is_not_ready(bench: Bench):
    bench.template("short", SHARED + "LABEL chatsubo.ready=80\nCMD echo bye; exit 3\n")
    heard = Heard()

    with pytest.raises(NotReady, match="exit code 3"):
        await bench.start("short", bench.order(progress=heard))
    assert "bye" in heard.output


async def test_a_box_whose_program_is_missing_does_not_start(bench: Bench):
    bench.template("wrong", SHARED + 'CMD ["/no/such/program"]\n')
    order = bench.order()

    # A small process 1 is put before it, which ends with 127 when it finds nothing.
    with pytest.raises((BuildFailed, NotReady)):
        await bench.start("wrong", order)
    assert await bench.left_of(order.id) == []


async def test_a_build_that_fails_says_why_and_leaves_nothing(bench: Bench):
    bench.template("broken", DOCUMENTED + "RUN echo cause $FLAG0; false\n")
    heard = Heard()
    order = bench.order(progress=heard)

    with pytest.raises(BuildFailed) as raised:
        await bench.start("broken", order)
    assert "returned a non-zero code: 1" in raised.value.detail
    assert "cause ***" in heard.output
    assert order.values["FLAG0"] not in heard.output + raised.value.detail
    assert await bench.left_of(order.id) == []


@pytest.mark.parametrize("text", [LABELS, DOCUMENTED], ids=["shared", "baked"])
async def test_a_build_that_hangs_is_ended_on_the_engine_too(bench: Bench, text: str):
    bench.template("hangs", text + "RUN echo hanging; sleep 1000\n")
    order = bench.order()

    with pytest.raises(BuildFailed, match="took longer than 2 s"):
        await bench.start("hangs", order, bench.make(build_timeout=2.0))
    for _ in range(100):
        if "sleep 1000" not in json.dumps(bench.engine.containers()):
            break
        await asyncio.sleep(0.05)
    assert "sleep 1000" not in json.dumps(bench.engine.containers())
    assert await bench.left_of(order.id) == []


async def test_a_deadline_ends_a_start_and_leaves_nothing(bench: Bench):
    bench.template("deaf", SHARED + "LABEL chatsubo.ready=4444\n" + SLEEPS)
    order = bench.order(limit=1.5)

    with pytest.raises(TimedOut):
        await bench.start("deaf", order)
    assert await bench.left_of(order.id) == []


async def test_a_stop_calls_a_start_off(bench: Bench):
    bench.template("deaf", SHARED + "LABEL chatsubo.ready=4444\n" + SLEEPS)
    heard = Heard()
    order = bench.order(progress=heard)
    start = asyncio.ensure_future(bench.start("deaf", order))
    while "Waiting for port 4444" not in heard.stages:
        await asyncio.sleep(0.01)

    await bench.provider.stop_dynamic_instance(order.id)

    with pytest.raises(Cancelled):
        await start
    assert await bench.left_of(order.id) == []


@pytest.mark.parametrize("text", [SHARED, DOCUMENTED], ids=["shared", "baked"])
async def test_a_start_cancelled_at_any_request_leaves_nothing(bench: Bench, text: str):
    bench.template("box", text + SERVES_FLAG)
    await bench.provider.stop_dynamic_instance((await bench.start("box", bench.order())).session or "")
    cut = 0
    for number in range(1, 20):
        order = bench.order()
        start: asyncio.Task[object] = asyncio.ensure_future(asyncio.sleep(0))

        async def cancel() -> None:
            start.cancel()
            await asyncio.sleep(0)

        bench.intercept(number, cancel, after=number % 2 == 0)
        start = asyncio.ensure_future(bench.start("box", order))
        result = (await asyncio.gather(start, return_exceptions=True))[0]
        bench.stop_intercepting()
        if not isinstance(result, BaseException):
            break
        cut += 1
        assert isinstance(result, asyncio.CancelledError)
        assert await bench.left_of(order.id) == [], f"cancelled at request {number}"
    assert cut >= 6


async def test_a_build_cancelled_in_the_middle_leaves_nothing(bench: Bench):
    bench.template("slow", DOCUMENTED + "RUN echo working; sleep 1000\n")
    heard = Heard()
    order = bench.order(progress=heard)
    start = asyncio.ensure_future(bench.start("slow", order))
    while "working" not in heard.output:
        await asyncio.sleep(0.01)
    start.cancel()

    assert isinstance((await asyncio.gather(start, return_exceptions=True))[0], asyncio.CancelledError)
    for _ in range(100):
        if "sleep 1000" not in json.dumps(bench.engine.containers()):
            break
        await asyncio.sleep(0.05)
    assert "sleep 1000" not in json.dumps(bench.engine.containers())
    assert await bench.left_of(order.id) == []


async def test_limits_hold(bench: Bench):
    bench.template("small", SHARED + SLEEPS)
    provider = bench.make(limits=BoxLimits(memory=ByteSize(32 * MEBIBYTE), cpus=0.5, processes=30))
    instance = await bench.start("small", bench.order(), provider)

    eaten = await bench.shell(instance, "head -c 100m /dev/zero | tail | wc -c; echo done")
    assert "104857600" not in eaten
    forked = await bench.shell(instance, "i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done 2>&1 | tail -1; true")
    listed = await bench.shell(instance, "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max")
    assert listed.strip() == "30"
    assert "fork" in forked or "Resource" in forked or not forked
    quota = bench.engine.request("GET", f"/containers/{instance.id}/json")["HostConfig"]
    assert quota["NanoCpus"] == 500_000_000
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


async def test_half_made_images_are_listed_so_that_reconciliation_removes_them(bench: Bench):
    bench.template("box", DOCUMENTED + SLEEPS)
    order = bench.order()
    instance = await bench.start("box", order)
    await asyncio.to_thread(bench.engine.docker, "rm", "-f", str(instance.id))

    left = (await bench.provider.list_instances()).items
    assert [(one.session, one.running) for one in left if one.session == order.id] == [(order.id, False)]
    await bench.provider.stop_dynamic_instance(order.id)
    assert await bench.left_of(order.id) == []


async def test_the_instances_of_another_provider_on_the_same_engine_are_not_ours(bench: Bench):
    bench.template("shared", SHARED + SLEEPS)
    other = bench.make(name=f"{bench.name}other")
    order = bench.order()
    await bench.start("shared", order, other)

    assert order.id not in {one.session for one in (await bench.provider.list_instances()).items}
    assert order.id in {one.session for one in (await other.list_instances()).items}


async def test_templates_that_cannot_be_used_are_listed_with_the_reason(bench: Bench, tmp_path: Path):
    bench.template("good", SHARED)
    bench.template("silent", "FROM alpine\n")
    bench.template("garbled", "FROM alpine\nLABEL a=${\n")
    listing = await bench.provider.list_templates()

    assert [one.name for one in listing.items] == ["good"]
    assert {one.name for one in listing.rejected} == {"silent", "garbled"}
    with pytest.raises(TemplateNotFound, match="exposes no session"):
        await bench.start("silent", bench.order())


async def test_no_secret_is_in_any_representation(bench: Bench):
    bench.template("box", DOCUMENTED + SLEEPS)
    order = bench.order(values=make_values("x", "FLAG"))
    instance = await bench.start("box", order)

    shown = (
        f"{instance!r} {order!r} {instance.flags!r} {instance.creds!r} {bench.provider!r} {bench.provider.to_json()}"
    )
    assert not any(value in shown for name, value in order.values.items() if name != "SESSION")


def _first_address(bench: Bench):
    import ipaddress

    return ipaddress.IPv4Network(bench.engine.subnets[0]).network_address + 100
