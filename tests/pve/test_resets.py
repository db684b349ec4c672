"""Resets of shared machines under what really happens on a cluster."""

import asyncio
import contextlib
import itertools
import time

import pytest

from chatsubo.providers.exc import (
    AccessRefused,
    Advice,
    BackendConnectionException,
    InstanceNotFound,
    Locked,
    Misconfigured,
    NotReady,
    TimedOut,
)
from chatsubo.providers.pve.tasks import PEER_LIMIT
from chatsubo.testing.orders import Recorder
from tests.pve.cluster import add_ct, add_vm, labels, written

ROLLBACK = "/snapshot/clean/rollback"


async def test_a_container_is_brought_back_and_started(pve, make_provider):
    ct = add_ct(pve, 100, labels(), config={"cores": 1})
    ct.config["cores"] = 3
    ct.status = "stopped"
    instance = await make_provider().reset("wz01", "mail")
    assert (ct.config["cores"], ct.status, instance.running) == (1, "running", True)


async def test_a_machine_with_ram_in_its_snapshot_runs_on(pve, make_provider):
    vm = add_vm(pve, 100, labels(), ram=True)
    assert (await make_provider().reset("wz01", "mail")).running
    assert vm.status == "running"
    assert [one["type"] for one in pve.tasklog] == ["qmrollback"]


async def test_the_snapshot_that_a_label_names_is_taken(pve, make_provider):
    vm = add_vm(pve, 100, labels(snapshot="clean"), config={"cores": 1})
    vm.snapshots["later"] = {**vm.config, "cores": 2, "parent": "clean"}
    vm.config["parent"] = "later"
    await make_provider().reset("wz01", "mail")
    assert vm.config["cores"] == 1


async def test_a_note_that_was_changed_a_moment_ago_counts(pve, make_provider):
    vm = add_vm(pve, 100, labels())
    provider = make_provider()
    await provider.list_instances()
    vm.snapshots["other"] = {**vm.config, "cores": 9}
    vm.config["description"] = written(labels(snapshot="other"))
    await provider.reset("wz01", "mail")
    assert vm.config["cores"] == 9


async def test_the_end_of_the_task_is_waited_for(pve, make_provider):
    pve.task_seconds = 0.5
    vm = add_vm(pve, 100, labels(), status="stopped")
    began = time.monotonic()
    await make_provider().reset("wz01", "mail")
    assert time.monotonic() - began >= 0.5
    assert vm.status == "running"


async def test_a_reset_tells_its_stages(pve, make_provider):
    add_vm(pve, 100, labels())
    recorder = Recorder()
    await make_provider()._classic.reset("wz01", "mail", time.monotonic() + 20, recorder)
    assert [str(one) for one in recorder.stages] == [
        "Looking for the machine",
        "Bringing the machine back to its snapshot clean",
        "Starting the machine",
    ]


async def test_a_lock_is_waited_for(pve, make_provider):
    vm = add_vm(pve, 100, labels(), status="stopped")
    pve.snapshot_lock(100, "backup")
    resetting = asyncio.ensure_future(make_provider().reset("wz01", "mail"))
    tries = asyncio.Semaphore(0)
    pve.on_task = lambda _kind: tries.release()
    for _ in range(3):
        await tries.acquire()
    assert not resetting.done()
    pve.unlock(100)
    assert (await resetting).running
    assert vm.status == "running"


async def test_a_lock_that_stays_is_told_when_time_is_up(pve, make_provider):
    add_vm(pve, 100, labels())
    pve.snapshot_lock(100, "backup")
    with pytest.raises(Locked) as raised:
        await make_provider(start_timeout=3.0).reset("wz01", "mail")
    assert "VM is locked (backup)" in raised.value.detail


async def test_a_lock_file_that_is_busy_is_tried_again(pve, make_provider):
    add_vm(pve, 100, labels())
    pve.fail("POST", ROLLBACK, error="config_lock_timeout", times=2)
    await make_provider().reset("wz01", "mail")
    assert pve.count("POST", ROLLBACK) == 3


async def test_a_machine_that_migrates_in_the_middle_is_followed(pve, make_provider):
    vm = add_vm(pve, 100, labels(), config={"cores": 1})
    vm.config["cores"] = 4
    pve.add_node("pve2")
    provider = make_provider()
    original = provider._classic._cluster.guests.rollback

    async def moving(guest, snapshot, *, start):
        vm.node = "pve2"
        return await original(guest, snapshot, start=start)

    provider._classic._cluster.guests.rollback = moving
    instance = await provider.reset("wz01", "mail")
    assert (instance.node, vm.config["cores"]) == ("pve2", 1)
    assert [(one["type"], one["node"]) for one in pve.tasklog] == [("qmrollback", "pve2")]


async def test_a_migration_that_is_under_way_is_waited_for(pve, make_provider):
    vm = add_vm(pve, 100, labels())
    pve.task_seconds = 0.3
    await pve.migrate(100, "pve2", secs=200)
    assert (await make_provider().reset("wz01", "mail")).node == "pve2"
    assert vm.node == "pve2"


async def test_a_node_that_is_slow_to_answer_is_asked_again(pve, make_provider):
    add_vm(pve, 100, labels())
    pve.fail("POST", ROLLBACK, error="no_route_to_host", times=2)
    await make_provider().reset("wz01", "mail")


async def test_a_cluster_that_finds_its_quorum_again_goes_on(pve, make_provider):
    add_vm(pve, 100, labels())
    pve.fail("POST", ROLLBACK, error="no_quorum", times=2)
    await make_provider().reset("wz01", "mail")


async def test_a_node_that_stays_away_is_told(pve, make_provider, monkeypatch):
    monkeypatch.setattr("chatsubo.providers.pve.tasks.PEER_LIMIT", 0.3)
    add_vm(pve, 100, labels(), node="pve2")
    provider = make_provider()
    await provider.list_instances()
    pve.set_node_offline("pve2")
    with pytest.raises(BackendConnectionException):
        await provider.reset("wz01", "mail")
    assert PEER_LIMIT > 0.3


async def test_a_token_without_the_right_is_told_at_once(pve, make_provider):
    add_vm(pve, 100, labels())
    pve.grant("chatsubo@pve", "/", "VM.Audit")
    with pytest.raises(AccessRefused) as raised:
        await make_provider().reset("wz01", "mail")
    assert "VM.Snapshot" in raised.value.detail
    assert raised.value.advice is Advice.ASK_ADMIN


async def test_a_snapshot_that_cannot_be_gone_back_to_is_told(pve, make_provider):
    vm = add_vm(pve, 100, labels())
    vm.snapshots.clear()
    with pytest.raises(Misconfigured):
        await make_provider().reset("wz01", "mail")


async def test_a_machine_that_was_removed_is_told(pve, make_provider):
    add_vm(pve, 100, labels())
    provider = make_provider()
    await provider.list_instances()
    pve.vms.clear()
    with pytest.raises(InstanceNotFound):
        await provider.reset("wz01", "mail")


async def test_a_machine_that_does_not_come_up_is_told(pve, make_provider):
    add_vm(pve, 100, labels()).start_error = "start failed: QEMU exited with code 1"
    with pytest.raises(NotReady) as raised:
        await make_provider().reset("wz01", "mail")
    assert "QEMU exited with code 1" in raised.value.detail


async def test_a_version_that_does_not_start_by_itself_is_helped(pve, make_provider):
    vm = add_vm(pve, 100, labels())
    fields = "property is not defined in schema and the schema does not allow additional properties"
    pve.refuse_parameter = ("start", fields)
    assert (await make_provider().reset("wz01", "mail")).running
    assert vm.status == "running"
    assert [one["type"] for one in pve.tasklog] == ["qmrollback", "qmstart"]


async def test_a_reset_that_was_cut_off_can_be_repeated(pve, make_provider):
    pve.task_seconds = 0.3
    vm = add_vm(pve, 100, labels())
    begun = asyncio.Event()
    pve.on_task = lambda _kind: begun.set()
    resetting = asyncio.ensure_future(make_provider().reset("wz01", "mail"))
    await begun.wait()
    resetting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await resetting
    assert (await make_provider().reset("wz01", "mail")).running
    assert vm.status == "running"


async def test_a_reset_at_any_moment_of_a_flaky_network_can_be_repeated(pve, make_provider):
    for drop in itertools.count(2):
        vm = add_vm(pve, 100 + drop, labels(f"box{drop}"), config={"cores": 1})
        vm.config["cores"] = 4
        provider = make_provider()
        await provider.list_instances()
        pve.drop_at, pve.dropped, pve._counted = drop, False, 0
        with contextlib.suppress(BackendConnectionException):
            await provider.reset("wz01", f"box{drop}")
        finished, pve.drop_at = not pve.dropped, 0
        assert (await provider.reset("wz01", f"box{drop}")).running
        assert (vm.config["cores"], vm.status) == (1, "running")
        if finished:
            break
    assert drop > 6


async def test_a_rollback_that_never_ends_is_told(pve, make_provider):
    add_vm(pve, 100, labels())
    pve.may_end.clear()
    with pytest.raises(TimedOut) as raised:
        await make_provider(start_timeout=3.0).reset("wz01", "mail")
    assert raised.value.advice is Advice.RETRY
    assert "qmrollback" in raised.value.detail
    pve.may_end.set()


async def test_the_list_of_guests_may_lag_behind(pve, make_provider):
    pve.lag = 60.0
    vm = add_vm(pve, 100, labels(), status="stopped")
    assert (await make_provider().reset("wz01", "mail")).running
    assert vm.status == "running"
