"""What goes wrong with machines for each player, and that nothing stays behind."""

import asyncio
import contextlib
import itertools

import pytest

from chatsubo.providers.exc import (
    AccessRefused,
    Advice,
    BackendConnectionException,
    BuildFailed,
    Misconfigured,
    NoCapacity,
    NotReady,
    ProviderError,
    TemplateNotFound,
    TimedOut,
)
from chatsubo.providers.pve.clones import identity
from chatsubo.providers.pve.config import Vmids
from chatsubo.testing.orders import again, make_order
from tests.pve.cluster import HELLO, add_template, dynamic, start


async def test_no_more_clones_are_made_at_once_than_configured(lab, make_provider):
    most = [0]

    def begun(kind):
        if kind == "qmclone":
            alive = [one for one in lab.tasklog if one["type"] == "qmclone" and one["status"] == "running"]
            most[0] = max(most[0], len(alive))

    lab.on_task = begun
    lab.task_seconds = 0.1
    provider = make_provider(dynamic=dynamic(max_concurrent_clones=2))
    await asyncio.gather(*(start(provider) for _ in range(6)))
    assert most[0] == 2


async def test_an_id_that_somebody_else_took_is_passed_over(lab, make_provider):
    ids = Vmids.from_text("9000-9003")
    lab.add_vm(9000, "stranger")
    lab.add_vm(9002, "stranger")
    provider = make_provider(dynamic=dynamic(vmids=ids))
    both = await asyncio.gather(start(provider), start(provider))
    assert {one.id for one in both} == {9001, 9003}
    with pytest.raises(NoCapacity):
        await start(provider)


async def test_an_id_that_is_taken_in_between_is_passed_over(lab, provider):
    lab.fail("POST", "/qemu/100/clone", error="unable_create_config_file_already", times=2)
    await start(provider)
    assert lab.count("POST", "/clone") == 3


async def test_a_template_that_is_being_cloned_is_waited_for(lab, provider):
    lab.fail("POST", "/qemu/100/clone", error="config_lock_timeout", times=3)
    await start(provider)
    assert lab.count("POST", "/clone") == 4


async def test_a_firewall_that_is_locked_for_a_moment_is_set_up_again_on_the_same_clone(lab, provider):
    lab.fail("PUT", "/firewall/options", error="config_lock_timeout", times=1)
    instance = await start(provider)
    assert lab.count("POST", "/clone") == 1
    assert lab.firewall_config("vm", "pve1", instance.id)["ipset"] == {"ipfilter-net0": [{"cidr": instance.address}]}


async def test_a_clone_that_does_not_start_is_removed_and_told(lab, provider):
    lab.fail("POST", "/status/start", error="start_failed")
    with pytest.raises(NotReady):
        await start(provider)
    assert [vm.vmid for vm in lab.vms] == [100]


async def test_a_guest_whose_agent_never_answers_is_removed_and_told(pve, make_provider):
    add_template(pve, 100, HELLO)
    with pytest.raises(NotReady):
        await start(make_provider(dynamic=dynamic(), ready_timeout=0.3))
    assert [vm.vmid for vm in pve.vms] == [100]


async def test_a_program_that_fails_in_the_guest_is_told_without_its_values(lab, provider):
    add_template(lab, 101, {**HELLO, "chatsubo.template": "bad", "chatsubo.exec": "/opt/setup"})
    original = lab._do_start

    async def start_badly(vm, user, values):
        upid = await original(vm, user, values)
        vm.agent = {"exec": {"/opt/setup": {"exitcode": 3}}}
        return upid

    lab._do_start = start_badly
    order = make_order()
    with pytest.raises(BuildFailed) as raised:
        await start(provider, order, "bad")
    assert "/opt/setup failed in the guest: exit code 3" in raised.value.detail
    assert not [value for key, value in order.values.items() if key != "SESSION" and value in str(raised.value)]


async def test_a_protected_template_makes_clones_that_can_be_removed(lab, provider):
    lab.vm(100).config["protection"] = "1"
    order = make_order()
    await start(provider, order)
    await provider.stop_dynamic_instance(order.id)
    assert [vm.vmid for vm in lab.vms] == [100]


async def test_guests_in_the_range_that_are_not_ours_are_left_alone(lab, provider):
    stranger = lab.add_vm(9000, "stranger", config={"description": "chatsubo.session=x\nchatsubo.provider=another"})
    assert not (await provider.list_instances()).items
    await provider.stop_dynamic_instance("x")
    assert stranger in lab.vms


async def test_a_clone_that_was_left_half_made_is_listed_and_replaced(lab, provider, make_provider):
    order = make_order()
    instance = await start(provider, order)
    vm = lab.vm(instance.id)
    vm.config["description"] = vm.config["description"].replace("chatsubo.state=ready\n", "")
    other = make_provider(dynamic=dynamic())
    [half] = (await other.list_instances()).items
    assert half.session == order.id
    await start(other, again(order))
    assert vm not in lab.vms


async def test_a_start_that_is_called_off_while_it_is_copied_leaves_nothing(lab, provider):
    lab.task_seconds = 0.3
    begun = asyncio.Event()
    lab.on_task = lambda _kind: begun.set()
    order = make_order()
    starting = asyncio.ensure_future(start(provider, order))
    await begun.wait()
    [clone] = [vm for vm in lab.vms if vm.vmid >= 9000]
    assert order.id not in clone.config["description"]
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert [vm.vmid for vm in lab.vms] == [100]


async def test_a_clone_of_a_killed_platform_is_not_forgotten(lab, provider, make_provider):
    """Its next process finds the id taken, by a clone that does not yet tell whose it is."""
    lab.task_seconds = 0.3
    begun = asyncio.Event()
    lab.on_task = lambda _kind: begun.set()
    order = make_order()
    template = await provider._launcher._clones.template("hello")
    told = identity("cluster", "wz01", template, order)
    killed = asyncio.ensure_future(provider._launcher._clones.make(template, order, told, None, set()))
    await begun.wait()
    [first] = [vm.vmid for vm in lab.vms if vm.vmid != 100]
    instance = await start(make_provider(dynamic=dynamic()), again(order))
    await killed
    assert [vm.vmid for vm in lab.vms] == [100, instance.id]
    # So it has the same address, too, where that was a reset.
    assert instance.id == first


RIGHTS = {
    "VM.Audit",
    "VM.Clone",
    "VM.Allocate",
    "VM.PowerMgmt",
    "VM.Config.Options",
    "VM.Config.Network",
    "VM.Config.Cloudinit",
    "VM.GuestAgent.Unrestricted",
    "Datastore.AllocateSpace",
    "SDN.Use",
}


@pytest.mark.parametrize("missing", sorted(RIGHTS - {"VM.Audit", "SDN.Use"}))
async def test_a_right_that_is_missing_half_way_is_told_and_nothing_is_left(lab, provider, missing):
    lab.grant("chatsubo@pve", "/", *(RIGHTS - {missing}))
    with pytest.raises(AccessRefused) as raised:
        await start(provider)
    assert raised.value.advice is Advice.ASK_ADMIN
    assert "Permission check failed" in raised.value.detail
    assert [vm.vmid for vm in lab.vms] == [100]


async def test_all_rights_that_the_guide_names_are_enough(lab, make_provider):
    lab.pools["players"] = set()
    lab.grant("chatsubo@pve", "/", *RIGHTS)
    provider, order = make_provider(dynamic=dynamic(pool="players")), make_order()
    await start(provider, order)
    await provider.reset("wz01", "hello", again(order, 2))
    await provider.stop_dynamic_instance(order.id)
    assert [vm.vmid for vm in lab.vms] == [100]


async def test_a_node_that_goes_away_in_the_middle_of_a_clone_is_told_and_nothing_is_lost(lab, provider, monkeypatch):
    monkeypatch.setattr("chatsubo.providers.pve.tasks.PEER_LIMIT", 0.3)
    lab.on_task = lambda _kind: lab.set_node_offline("pve1")
    order = make_order(seconds=20)
    with pytest.raises(BackendConnectionException) as raised:
        await start(provider, order)
    assert raised.value.advice is Advice.RETRY
    lab.on_task = lambda _kind: None
    lab.set_node_offline("pve1", offline=False)
    instance = await start(provider, again(order))
    assert [vm.vmid for vm in lab.vms] == [100, instance.id]


async def test_a_node_that_is_away_for_a_moment_in_the_middle_of_a_clone_is_waited_for(lab, provider):
    def away(kind):
        if kind == "qmclone":
            lab.fail("GET", "/tasks/", error="no_route_to_host", times=3)

    lab.on_task = away
    instance = await start(provider)
    assert [vm.vmid for vm in lab.vms] == [100, instance.id]


async def test_a_cluster_without_quorum_for_a_moment_is_asked_again_for_a_clone(lab, provider):
    lab.fail("POST", "/qemu/100/clone", error="no_quorum", times=2)
    await start(provider)
    assert lab.count("POST", "/clone") == 3


async def test_a_copy_that_never_ends_is_told_and_does_not_keep_the_session_from_another(lab, provider, monkeypatch):
    monkeypatch.setattr("chatsubo.providers.pve.launcher.CLEANING", 0.2)
    monkeypatch.setattr("chatsubo.providers.pve.clones.SPARE", 0.2)
    monkeypatch.setattr("chatsubo.providers.pve.launcher.SPARE", 0.2)
    lab.may_end.clear()
    order = make_order(seconds=3)
    with pytest.raises(TimedOut):
        await start(provider, order)
    waiting, lab.may_end = lab.may_end, asyncio.Event()
    lab.may_end.set()
    instance = await start(provider, again(order))
    assert len([vm for vm in lab.vms if vm.vmid != 100]) == 2
    waiting.set()
    while [one for one in lab.tasklog if one["status"] == "running"]:  # noqa: ASYNC110  the fake has no event for it
        await asyncio.sleep(0)
    assert instance.running
    await provider.stop_dynamic_instance(order.id)
    assert [vm.vmid for vm in lab.vms] == [100]


async def test_a_template_that_is_moved_just_before_it_is_cloned_is_followed(lab, provider):
    lab.add_node("pve2")
    clones = provider._launcher._clones
    original = clones.template

    async def moved(name):
        found = await original(name)
        lab.vm(100).node = "pve2"
        return found

    clones.template = moved
    instance = await start(provider)
    assert lab.vm(instance.id).node == "pve2"


async def test_a_template_that_is_removed_just_before_it_is_cloned_is_told(lab, provider):
    clones = provider._launcher._clones
    original = clones.template

    async def removed(name):
        found = await original(name)
        lab.vms.remove(lab.vm(100))
        return found

    clones.template = removed
    with pytest.raises(TemplateNotFound):
        await start(provider)


async def test_a_realm_without_a_network_is_told(lab, provider):
    order = make_order()
    with pytest.raises(Misconfigured):
        await provider.start_dynamic_instance("wz02", "hello", order.id, order)
    with pytest.raises(TemplateNotFound):
        await provider.start_dynamic_instance("wz01", "mail", order.id, order)


async def test_a_start_works_while_names_and_states_lag_behind(lab, provider):
    lab.lag = 60.0
    order = make_order()
    instance = await start(provider, order)
    assert instance.running
    await provider.stop_dynamic_instance(order.id)
    assert [vm.vmid for vm in lab.vms] == [100]


@pytest.mark.parametrize("what", ["reset", "stop"])
async def test_a_reset_or_a_stop_at_any_moment_of_a_flaky_network_can_be_repeated(lab, make_provider, what):
    for drop in itertools.count(2, 2):
        provider, order = make_provider(dynamic=dynamic()), make_order(seconds=20)
        await start(provider, order)
        lab.drop_at, lab.dropped, lab._counted = drop, False, 0
        for _ in range(2):
            with contextlib.suppress(BackendConnectionException):
                if what == "reset":
                    await provider.reset("wz01", "hello", again(order, 2))
                else:
                    await provider.stop_dynamic_instance(order.id)
                break
        finished, lab.drop_at = not lab.dropped, 0
        mine = [vm for vm in lab.vms if order.id in vm.config.get("description", "")]
        assert ["generation=2" in vm.config["description"] for vm in mine] == [True] * (what == "reset")
        await provider.stop_dynamic_instance(order.id)
        assert [vm.vmid for vm in lab.vms] == [100]
        if finished:
            break
    assert drop > 4


async def test_a_start_at_any_moment_of_a_flaky_network_leaves_one_clone_or_none(lab, make_provider):
    for drop in itertools.count(2):
        lab.drop_at, lab.dropped, lab._counted = drop, False, 0
        provider = make_provider(dynamic=dynamic())
        order = make_order(seconds=20)
        try:
            await start(provider, order)
        except ProviderError:
            await start(provider, again(order))
        finished, lab.drop_at = not lab.dropped, 0
        mine = [vm for vm in lab.vms if order.id in vm.config.get("description", "")]
        assert len(mine) == 1, f"dropped at request {drop}"
        await provider.stop_dynamic_instance(order.id)
        assert [vm.vmid for vm in lab.vms] == [100]
        if finished:
            break
    assert drop > 10
