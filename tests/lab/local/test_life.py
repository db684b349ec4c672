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

from chatsubo.providers.base import Readiness
from chatsubo.providers.local import LocalProvider
from chatsubo.providers.local.keeper import started_at
from chatsubo.providers.local.trees import Keeper
from chatsubo.testing import make_order
from tests.lab.local.conftest import PATIENCE
from tests.lab.local.looking import ask, files_below, make_template, processes_below, start

MakeProvider = Callable[..., LocalProvider]


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
    async with asyncio.timeout(PATIENCE):
        while (await provider.list_instances()).items[0].running:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # the end of a box is told to nobody
    second = await start(provider, order)
    assert second.id != first.id
    assert second.address == first.address
    await provider.stop_dynamic_instance(order.id)


async def test_a_box_without_ports_is_only_started(provider: LocalProvider, templates: Path) -> None:
    make_template(templates, "quiet", "command: [sleep, '987']\n")
    order = make_order()
    instance = await start(provider, order, "quiet")
    assert (instance.running, instance.readiness, instance.endpoints) == (True, Readiness.STARTED, ())
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


async def test_a_tree_is_ended_without_process_descriptors_too(provider: LocalProvider, data: Path) -> None:
    order = make_order()
    await start(provider, order)
    [run] = (data / "runs").iterdir()
    keeper = Keeper.of(run)
    assert keeper
    await asyncio.to_thread(keeper._end_by_number)
    assert not keeper.alive
    assert not processes_below(data)
    await provider.stop_dynamic_instance(order.id)


def test_the_start_of_a_process_is_known_without_proc_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sleep", "987"]) as process:
        monkeypatch.setattr("sys.platform", "darwin")
        first = started_at(process.pid)
        assert first
        assert started_at(process.pid) == first
        process.kill()
    assert started_at(process.pid) is None


async def test_files_that_a_box_locked_away_are_removed(provider: LocalProvider, data: Path) -> None:
    order = make_order()
    instance = await start(provider, order)
    await asyncio.to_thread(ask, instance, "mkdir -p deep/er; echo x > deep/er/y; chmod 000 deep/er deep .")
    await provider.stop_dynamic_instance(order.id)
    assert not files_below(data)


def _wait_for_end(descriptor: int) -> None:
    try:
        assert select.select([descriptor], [], [], PATIENCE)[0]
    finally:
        os.close(descriptor)
