"""Classic containers: found by their label, made anew at a reset."""

import asyncio
from typing import Any

import pytest

from chatsubo.providers.exc import InstanceNotFound
from tests.real.docker.bench import REALM, SHARED, Bench
from tests.real.docker.test_faults import kill, revive

LABELS = (
    *("--label", "chatsubo.dynamic=false", "--label", f"chatsubo.realm={REALM}"),
    *("--label", "chatsubo.flags.first.value=FLAG{static}", "--label", "chatsubo.flags.first.points=50"),
    *("--label", "chatsubo.creds.ssh.username=bob", "--label", "chatsubo.creds.ssh.password=b ob="),
)


def run(bench: Bench, name: str, *options: str, template: str = "mail") -> str:
    done = bench.engine.docker(
        *("run", "-d", "--name", name, *LABELS, "--label", f"chatsubo.template={template}", *options),
        *("alpine", "sleep", "1000"),
    )
    return done.stdout.strip()


def published(container: dict[str, Any]) -> set[tuple[str, str, str]]:
    ports = container["NetworkSettings"]["Ports"].items()
    return {(port, one["HostIp"], one["HostPort"]) for port, bound in ports for one in bound}


@pytest.fixture
def network(bench: Bench):
    bench.engine.docker("network", "create", "--subnet", bench.engine.subnets[2], "classic")
    yield "classic"
    for container in bench.engine.containers("chatsubo.dynamic=false"):
        bench.engine.docker("rm", "-f", "-v", container["Id"])
    bench.engine.docker("network", "rm", "classic")


async def test_a_classic_container_is_an_instance_and_a_template(bench: Bench, network: str):
    address = bench.engine.subnets[2].replace("0/24", "50")
    run(bench, "mail1", "--net", network, "--ip", address)
    provider = bench.make(docker_network=network)
    templates = (await provider.list_templates()).items
    instances = (await provider.list_instances(REALM)).items

    assert [(one.name, one.dynamic, one.flags[0].value) for one in templates] == [("mail", False, "FLAG{static}")]
    found = instances[0]
    assert (found.name, found.template, found.realm, found.address) == ("mail1", "mail", REALM, address)
    assert (found.session, found.generation, found.running) == (None, 0, True)
    assert [(one.username, one.password) for one in found.creds] == [("bob", "b ob=")]
    assert (await provider.list_instances("elsewhere")).items == []


async def test_bad_labels_of_one_container_do_not_hide_the_others(bench: Bench, network: str):
    run(bench, "mail1", "--net", network)
    run(bench, "mail2", "--net", network, "--label", "chatsubo.address=nowhere")
    bench.template("web", SHARED)
    run(bench, "web1", "--net", network, template="web")
    provider = bench.make(docker_network=network)

    assert [one.name for one in (await provider.list_instances()).items] == ["mail1", "web1"]
    listing = await provider.list_templates()
    assert {(one.name, one.dynamic) for one in listing.items} == {("web", True), ("mail", False)}
    assert {one.name for one in listing.rejected} == {"mail2", "web1"}


async def test_a_reset_makes_a_classic_container_anew_and_tells_what_it_leaves(bench: Bench, network: str):
    address = bench.engine.subnets[2].replace("0/24", "51")
    options = (
        *("--net", network, "--ip", address, "--hostname", "mail.example", "-e", "MODE=x", "-v", "spool:/spool"),
        *("-v", "/anonymous", "--memory", "64m", "--cap-drop", "NET_RAW", "-p", "18090:80", "-p", "81"),
    )
    old = run(bench, "mail1", *options)
    bench.engine.docker("network", "connect", "--alias", "smtp", "bridge2", old, check=False)
    bench.engine.execute(old, "rm /bin/ls; touch /spool/kept /anonymous/lost /tmp/lost; echo x > /etc/motd")
    before = bench.engine.request("GET", f"/containers/{old}/json")
    provider = bench.make(docker_network=network)

    again = await provider.reset(REALM, "mail")

    assert again.id != old
    assert (again.name, again.address, again.running) == ("mail1", address, True)
    assert again.unreset == ("volume spool at /spool",)
    after = bench.engine.request("GET", f"/containers/{again.id}/json")
    for key in ("Hostname", "Env", "Cmd", "Labels", "ExposedPorts"):
        assert after["Config"][key] == before["Config"][key]
    for key in ("Memory", "CapDrop", "Binds", "NetworkMode"):
        assert after["HostConfig"][key] == before["HostConfig"][key]
    assert published(after) == published(before)
    seen = await bench.shell(again, "ls /bin/ls /spool /anonymous /tmp /etc/motd 2>/dev/null; echo; hostname")
    assert "kept" in seen
    assert "lost" not in seen
    assert "/bin/ls" in seen
    assert "motd" not in seen
    assert len(bench.engine.containers("chatsubo.dynamic=false")) == 1


async def test_a_classic_container_with_the_engines_own_addresses_is_reset_too(bench: Bench, network: str):
    old = run(bench, "mail1", "--net", "bridge")
    again = await bench.make(docker_network=network).reset(REALM, "mail")

    assert again.id != old
    assert again.running
    assert again.unreset == ()


async def test_a_classic_container_that_is_not_there_is_not_found(bench: Bench):
    with pytest.raises(InstanceNotFound):
        await bench.provider.reset(REALM, "nothing")


@pytest.mark.parametrize(("number", "after"), [(3, True), (4, True), (5, True), (6, False)])
async def test_an_engine_killed_during_a_classic_reset_loses_nothing(fragile: Bench, number: int, after: bool):
    run(fragile, "mail1")
    fragile.intercept(number, lambda: kill(fragile), after=after)

    with pytest.raises(Exception, match="docker/"):
        await fragile.provider.reset(REALM, "mail")
    await revive(fragile)
    assert [one.name for one in (await fragile.provider.list_instances()).items] == ["mail1"]
    assert [one.name for one in (await fragile.provider.list_templates()).items] == ["mail"]
    again = await fragile.provider.reset(REALM, "mail")

    assert (again.name, again.running) == ("mail1", True)
    assert len(await asyncio.to_thread(fragile.engine.containers, "chatsubo.dynamic=false")) == 1
