"""The life of local instances: real processes, folders and addresses."""

import asyncio
import os
import select
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from chatsubo.config import ByteSize
from chatsubo.providers.base import Limits, Readiness, StartOrder
from chatsubo.providers.exc import (
    BuildFailed,
    Cancelled,
    Misconfigured,
    NoCapacity,
    NotReady,
    ProviderError,
    TemplateNotFound,
)
from chatsubo.providers.local import LocalLimits, LocalProvider
from chatsubo.providers.local.keeper import started_at
from chatsubo.providers.local.trees import Keeper
from tests.contract.provider_contract import Recorder, make_order
from tests.lab.local.conftest import HELLO, SHELL
from tests.lab.local.looking import ask, command_lines, files_below, make_template, processes_below
from tests.needs import need

MakeProvider = Callable[..., LocalProvider]


async def start(provider: LocalProvider, order: StartOrder, template: str = "hello"):
    return await provider.start_dynamic_instance("wz01", template, order.id, order)


async def fails(provider: LocalProvider, template: str, error: type[ProviderError]) -> Recorder:
    """Start a template that fails, and return what was told meanwhile."""
    recorder = Recorder()
    with pytest.raises(error):
        await start(provider, make_order(progress=recorder), template)
    return recorder


async def test_from_start_to_stop(provider: LocalProvider, data: Path) -> None:
    order = make_order()
    instance = await start(provider, order)
    assert instance.running
    assert instance.readiness is Readiness.LISTENING
    [endpoint] = instance.endpoints
    assert (endpoint.name, endpoint.host, endpoint.port) == ("tcp", instance.address, 4000)
    assert str(instance.address).startswith("127.77.")
    assert await asyncio.to_thread(ask, instance, "cat flags/user.txt") == order.values["FLAG0"]
    assert processes_below(data, order.id), "the looking itself does not work"
    await provider.stop_dynamic_instance(order.id)
    assert not processes_below(data)
    assert not files_below(data)
    with pytest.raises(OSError, match="refused"), socket.create_connection((endpoint.host, endpoint.port), 5):
        pass


async def test_twenty_starts_at_once(provider: LocalProvider, data: Path) -> None:
    orders = [make_order() for _ in range(20)]
    instances = await asyncio.gather(*(start(provider, order) for order in orders))
    assert len({instance.address for instance in instances}) == 20
    answers = await asyncio.gather(*(asyncio.to_thread(ask, one, "cat flags/user.txt") for one in instances))
    assert answers == [order.values["FLAG0"] for order in orders]
    await asyncio.gather(*(provider.stop_dynamic_instance(order.id) for order in orders))
    assert not processes_below(data)
    assert not files_below(data)


async def test_what_tears_itself_loose_in_a_box_is_ended_with_it(provider: LocalProvider, data: Path) -> None:
    order = make_order()
    instance = await start(provider, order)
    await asyncio.to_thread(ask, instance, "setsid sh -c 'trap \"\" TERM HUP; sleep 987 & sleep 987' >/dev/null 2>&1 &")
    assert [line for line in processes_below(data) if "sleep" in line]
    await provider.stop_dynamic_instance(order.id)
    assert not processes_below(data)


async def test_what_is_left_when_the_keeper_is_killed_is_ended_by_the_stop(provider: LocalProvider, data: Path) -> None:
    order = make_order()
    instance = await start(provider, order)
    await asyncio.to_thread(ask, instance, "setsid sleep 987 >/dev/null 2>&1 &")
    [run] = (data / "runs").iterdir()
    keeper = Keeper.of(run)
    assert keeper
    descriptor = os.pidfd_open(keeper.pid)
    os.kill(keeper.pid, signal.SIGKILL)
    await asyncio.to_thread(_wait_for_end, descriptor)
    assert [one.running for one in (await provider.list_instances()).items] == [False]
    await provider.stop_dynamic_instance(order.id)
    assert not processes_below(data)


async def test_an_instance_whose_folder_was_deleted_by_hand_ends_by_itself(provider: LocalProvider, data: Path) -> None:
    order = make_order()
    await start(provider, order)
    [run] = (data / "runs").iterdir()
    keeper = Keeper.of(run)
    assert keeper
    descriptor = os.pidfd_open(keeper.pid)
    shutil.rmtree(run)
    await asyncio.to_thread(_wait_for_end, descriptor)
    assert not processes_below(data)
    await provider.stop_dynamic_instance(order.id)


async def test_an_instance_that_ended_by_itself_is_made_anew_by_the_next_start(provider: LocalProvider) -> None:
    order = make_order()
    first = await start(provider, order)
    with pytest.raises((AssertionError, OSError)):
        await asyncio.to_thread(ask, first, "kill -9 $PPID")
    for _ in range(200):
        if not (await provider.list_instances()).items[0].running:
            break
        await asyncio.sleep(0.05)
    second = await start(provider, order)
    assert second.id != first.id
    assert second.address == first.address
    await provider.stop_dynamic_instance(order.id)


BOMB = """
import os, time
n = 0
try:
    while n < 500:
        if not os.fork():
            time.sleep(600)
        n += 1
except OSError:
    print(n)
"""


async def test_a_fork_bomb_reaches_its_limit_and_dies_with_the_box(
    provider: LocalProvider, templates: Path, data: Path
) -> None:
    make_template(templates, "bomb", HELLO, {"shell.py": SHELL, "bomb.py": BOMB})
    order = make_order()
    asked = StartOrder(order.id, order.values, 1, order.deadline, limits=Limits(processes=24))
    instance = await start(provider, asked, "bomb")
    count = await asyncio.to_thread(ask, instance, "/usr/bin/python3 bomb.py > count 2>&1; cat count")
    assert 0 < int(count) < 24
    await provider.stop_dynamic_instance(order.id)
    assert not processes_below(data)


async def test_memory_and_files_are_limited(make_provider: MakeProvider) -> None:
    provider = make_provider(limits=LocalLimits(memory=ByteSize(200 << 20), file_size=ByteSize(1 << 20)))
    order = make_order()
    instance = await start(provider, order)
    memory = await asyncio.to_thread(ask, instance, "/usr/bin/python3 -c 'b = bytearray(300 << 20)'")
    assert "MemoryError" in memory
    await asyncio.to_thread(ask, instance, "head -c 3000000 /dev/zero > large")
    assert await asyncio.to_thread(ask, instance, "stat -c %s large") == f"{1 << 20}\n"
    await provider.stop_dynamic_instance(order.id)


@need.root
async def test_a_box_is_never_root(provider: LocalProvider) -> None:
    order = make_order()
    instance = await start(provider, order)
    uid, no_new_privileges, inside = (
        await asyncio.to_thread(ask, instance, "id -u; grep -h NoNewPrivs /proc/self/status; cat /etc/shadow 2>&1")
    ).split("\n", 2)
    assert int(uid) > 1_000_000
    assert no_new_privileges.split() == ["NoNewPrivs:", "1"]
    assert "root:" not in inside
    await provider.stop_dynamic_instance(order.id)


@need.bubblewrap
@pytest.mark.parametrize("sandbox", ["bubblewrap"])
async def test_in_bubblewrap_a_box_sees_neither_the_others_nor_the_host(provider: LocalProvider, data: Path) -> None:
    one, two = make_order(), make_order()
    instance, _ = await asyncio.gather(start(provider, one), start(provider, two))
    seen = await asyncio.to_thread(
        ask, instance, f"ls {data} /root/ /home; ls /proc | grep -c '^[0-9]'; touch /usr/x /x"
    )
    assert "No such file or directory" in seen
    assert "box" in seen.splitlines()
    assert seen.count("Read-only file system") == 2
    assert len(await asyncio.to_thread(ask, instance, "ls /proc | grep '^[0-9]'")) < 60
    await asyncio.gather(*(provider.stop_dynamic_instance(order.id) for order in (one, two)))


async def test_a_service_that_never_listens_is_not_ready(
    make_provider: MakeProvider, templates: Path, data: Path
) -> None:
    make_template(templates, "mute", "command: [sh, -c, 'echo starting on $SESSION; sleep 987']\nports: {tcp: 4000}\n")
    told = await fails(make_provider(ready_timeout=0.5), "mute", NotReady)
    assert "starting on" in told.logged
    assert not processes_below(data)
    assert not files_below(data)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("[sh, -c, 'echo out of order; exit 3']", "out of order\n[the command ended with status 3]"),
        ("[no-such-program]", "no-such-program cannot be run"),
        ('["{python}", nowhere.py]', "nowhere.py"),
    ],
)
async def test_a_command_that_ends_is_told_with_its_output(
    provider: LocalProvider, templates: Path, data: Path, command: str, said: str
) -> None:
    make_template(templates, "ends", f"command: {command}\nports: {{tcp: 4000}}\n")
    assert said in (await fails(provider, "ends", NotReady)).logged
    assert not processes_below(data)
    assert not files_below(data)


async def test_what_a_box_prints_of_its_secrets_is_blotted_out(provider: LocalProvider, templates: Path) -> None:
    text = "command: [sh, -c, 'echo the flag is $$F']\nports: {tcp: 4000}\nenvironment: {F: $FLAG0}\n"
    make_template(templates, "chatty", text)
    assert "the flag is ***" in (await fails(provider, "chatty", NotReady)).logged


async def test_a_box_without_ports_is_only_started(provider: LocalProvider, templates: Path) -> None:
    make_template(templates, "quiet", "command: [sleep, '987']\n")
    order = make_order()
    instance = await start(provider, order, "quiet")
    assert (instance.running, instance.readiness, instance.endpoints) == (True, Readiness.STARTED, ())
    await provider.stop_dynamic_instance(order.id)


async def test_only_declared_values_are_in_the_environment(provider: LocalProvider, templates: Path) -> None:
    text = HELLO + "environment: {FIRST: $FLAG0, WHERE: '$ADDRESS:$PORT_TCP', PRICE: '5 $$'}\n"
    make_template(templates, "env", text, {"shell.py": SHELL})
    order = make_order()
    instance = await start(provider, order, "env")
    seen = (await asyncio.to_thread(ask, instance, "env")).splitlines()
    assert f"FIRST={order.values['FLAG0']}" in seen
    assert f"WHERE={instance.address}:4000" in seen
    assert "PRICE=5 $" in seen
    assert order.values["FLAG1"] not in str(seen)
    await provider.stop_dynamic_instance(order.id)


async def test_no_secret_is_on_a_command_line(provider: LocalProvider) -> None:
    order = make_order()
    await start(provider, order)
    secrets = [value for name, value in order.values.items() if name != "SESSION"]
    assert not [line for line in command_lines() if any(secret in line for secret in secrets)]
    await provider.stop_dynamic_instance(order.id)


async def test_a_used_up_range_is_no_capacity_until_one_is_free(make_provider: MakeProvider, data: Path) -> None:
    provider = make_provider(address_range="127.78.3.0/30")
    orders = [make_order() for _ in range(2)]
    addresses = {(await start(provider, order)).address for order in orders}
    assert addresses == {"127.78.3.1", "127.78.3.2"}
    await fails(provider, "hello", NoCapacity)
    assert len(list((data / "runs").iterdir())) == 2
    await provider.stop_dynamic_instance(orders[0].id)
    again = make_order()
    assert (await start(provider, again)).address in addresses
    await asyncio.gather(*(provider.stop_dynamic_instance(order.id) for order in (orders[1], again)))


async def test_a_port_that_is_taken_is_replaced_by_a_free_one(make_provider: MakeProvider, templates: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        taken = everywhere.getsockname()[1]
        make_template(templates, "crowded", HELLO.replace("4000", str(taken)), {"shell.py": SHELL})
        provider = make_provider()
        order = make_order()
        instance = await start(provider, order, "crowded")
        assert instance.endpoints[0].port != taken
        assert await asyncio.to_thread(ask, instance, "cat flags/user.txt") == order.values["FLAG0"]
        await provider.stop_dynamic_instance(order.id)


async def test_instances_share_an_address_where_none_can_be_their_own(provider: LocalProvider) -> None:
    provider._addresses._own = False
    orders = [make_order() for _ in range(3)]
    instances = await asyncio.gather(*(start(provider, order) for order in orders))
    assert {instance.address for instance in instances} == {"127.0.0.1"}
    assert len({instance.endpoints[0].port for instance in instances}) == 3
    answers = await asyncio.gather(*(asyncio.to_thread(ask, one, "cat flags/user.txt") for one in instances))
    assert answers == [order.values["FLAG0"] for order in orders]
    await asyncio.gather(*(provider.stop_dynamic_instance(order.id) for order in orders))


async def test_a_stop_calls_off_a_start_that_waits(provider: LocalProvider, templates: Path, data: Path) -> None:
    make_template(templates, "mute", "command: [sleep, '987']\nports: {tcp: 4000}\n")
    recorder = Recorder(stop_at=3)
    order = make_order(progress=recorder)
    starting = asyncio.create_task(start(provider, order, "mute"))
    await recorder.reached.wait()
    await provider.stop_dynamic_instance(order.id)
    with pytest.raises(Cancelled):
        await starting
    assert not processes_below(data)
    assert not files_below(data)


async def test_a_reset_that_fails_leaves_nothing(provider: LocalProvider, templates: Path, data: Path) -> None:
    order = make_order()
    await start(provider, order)
    (templates / "hello" / "home" / "shell.py").write_text("raise SystemExit('out of order')")
    with pytest.raises(NotReady):
        await provider.reset("wz01", "hello", StartOrder(order.id, order.values, 2, order.deadline))
    assert not processes_below(data)
    assert not files_below(data)


async def test_a_home_folder_that_cannot_be_copied_is_a_failed_build(
    provider: LocalProvider, templates: Path, data: Path
) -> None:
    os.mkfifo(make_template(templates, "pipe", HELLO, {"shell.py": SHELL}) / "home" / "fifo")
    await fails(provider, "pipe", BuildFailed)
    assert not files_below(data)


async def test_a_broken_template_starts_nothing_and_says_what_is_wrong(
    provider: LocalProvider, templates: Path
) -> None:
    make_template(templates, "broken", "command: []\nport: {http: 80}\n")
    listing = await provider.list_templates()
    assert [template.name for template in listing.items] == ["hello"]
    assert {one.name for one in listing.rejected} == {"broken"}
    with pytest.raises(TemplateNotFound, match="ports"):
        await start(provider, make_order(), "broken")


async def test_folders_out_of_reach_are_told(make_provider: MakeProvider, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for changes in ({"templates_root": tmp_path / "nowhere"}, {"data": tmp_path / "file"}):
        provider = make_provider(**changes)
        check = await provider.check()
        assert not check.reachable
        assert not check.is_dynamic
        [bad] = [finding for finding in check.findings if not finding.ok]
        assert bad.remedy
        with pytest.raises(Misconfigured):
            await start(provider, make_order())


async def test_a_check_says_what_it_is_not(provider: LocalProvider, sandbox: str) -> None:
    check = await provider.check()
    texts = [str(finding.text) for finding in check.findings]
    assert any("isolates nothing to rely on" in text for text in texts)
    assert any("bubblewrap" in text for text in texts)
    assert sum(not finding.ok for finding in check.findings) == (1 if sandbox == "bubblewrap" else 2)
    assert not provider.allowed_beyond_demo


async def test_a_damaged_record_is_reported_and_can_be_stopped(provider: LocalProvider, data: Path) -> None:
    damaged, sound = make_order(), make_order()
    await asyncio.gather(start(provider, damaged), start(provider, sound))
    (data / "instances" / f"{damaged.id}.json").write_text("{")
    listing = await provider.list_instances()
    assert [one.session for one in listing.items] == [sound.id]
    assert [one.name for one in listing.rejected] == [f"{damaged.id}.json"]
    assert processes_below(data, damaged.id)
    await provider.stop_dynamic_instance(damaged.id)
    assert not processes_below(data, damaged.id)
    await provider.stop_dynamic_instance(sound.id)


async def test_a_session_that_is_no_file_name_goes_nowhere(provider: LocalProvider) -> None:
    with pytest.raises(Misconfigured):
        await provider.stop_dynamic_instance("../../etc")


def test_a_process_that_only_has_the_number_of_a_keeper_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "987"]) as bystander:
        try:
            keeper = Keeper(bystander.pid, "12345")
            assert not keeper.alive
            keeper.end()
            assert bystander.poll() is None
            assert started_at(bystander.pid)
        finally:
            bystander.kill()


async def test_files_that_a_box_locked_away_are_removed(provider: LocalProvider, data: Path) -> None:
    order = make_order()
    instance = await start(provider, order)
    await asyncio.to_thread(ask, instance, "mkdir -p deep/er; echo x > deep/er/y; chmod 000 deep/er deep .")
    await provider.stop_dynamic_instance(order.id)
    assert not files_below(data)


def _wait_for_end(descriptor: int) -> None:
    try:
        assert select.select([descriptor], [], [], 30)[0]
    finally:
        os.close(descriptor)
