"""Machines for each player: what a clone is given, what keeps it apart, and that nothing stays behind."""

import asyncio
import itertools

import pytest

from chatsubo.providers.exc import BuildFailed, Misconfigured, NoCapacity, NotReady, ProviderError, TemplateNotFound
from chatsubo.providers.pve.clones import HEADING, identity
from chatsubo.providers.pve.config import RealmNetwork, Vmids
from chatsubo.testing.orders import again, make_order
from tests.pve import cluster
from tests.pve.cluster import HELLO, add_ct, add_template, dynamic


@pytest.fixture
def lab(pve):
    cluster.boot_with_agent(pve)
    add_template(pve, 100, HELLO, config={"tags": "ctf", "net1": "virtio=BC:24:11:00:00:09,bridge=vmbr7"})
    return pve


@pytest.fixture
def provider(make_provider):
    return make_provider(dynamic=dynamic())


async def start(provider, order=None, template="hello"):
    order = order or make_order(seconds=20)
    return await provider.start_dynamic_instance("wz01", template, order.id, order)


async def test_a_clone_says_whose_it_is(lab, provider):
    order = make_order(generation=3)
    instance = await start(provider, order)
    vm = lab.vm(instance.id)
    assert vm.name == f"hello-{order.id[:8]}-g3"
    notes = vm.config["description"].split("\n")
    assert notes[0] == HEADING
    assert {f"chatsubo.session={order.id}", "chatsubo.generation=3", "chatsubo.provider=cluster"} <= set(notes)
    assert f"chatsubo.address={instance.address}" in notes


async def test_a_clone_is_linked_and_in_the_pool(lab, make_provider):
    lab.pools["players"] = set()
    instance = await start(make_provider(dynamic=dynamic(pool="players")))
    [clone] = [body for method, path, body in lab.requests if path.endswith("/clone")]
    assert b"full=0" in clone
    assert lab.pools["players"] == {instance.id}


async def test_cloud_init_gets_account_and_address(lab, provider):
    order = make_order()
    instance = await start(provider, order)
    config = lab.vm(instance.id).config
    assert (config["ciuser"], config["cipassword"]) == ("level0", order.values["RNG0"])
    assert config["ipconfig0"] == f"ip={instance.address}/24,gw=10.66.1.1"


async def test_a_file_of_the_template_holds_its_value(lab, provider):
    order = make_order()
    instance = await start(provider, order)
    asked = dict(lab.vm(instance.id).agent_requests)
    assert asked["file-write"] == {"file": "/home/level0/flag", "content": f"{order.values['FLAG0']}\n"}
    assert asked["exec"] == {"command": ["chmod", "0400", "/home/level0/flag"]}


async def test_a_program_of_the_template_is_told_the_values_that_are_named(lab, provider):
    add_template(lab, 101, {**HELLO, "chatsubo.template": "told", "chatsubo.exec": "/opt/setup"})
    order = make_order()
    instance = await start(provider, order, "told")
    [told] = [one["input-data"] for command, one in lab.vm(instance.id).agent_requests if "input-data" in one]
    names = ("FLAG0", "FLAG1", "RNG0", "SESSION")
    assert told == "".join(f"{name}={order.values[name]}\n" for name in names)


async def test_version_7_takes_a_program_as_one_text(lab, provider):
    lab.vintage, lab.version = 7, "7.4-17"
    instance = await start(provider)
    [asked] = [one for command, one in lab.vm(instance.id).agent_requests if command == "exec"]
    assert asked["command"] in ("chmod 0400 /home/level0/flag", ["chmod 0400 /home/level0/flag"])


async def test_the_firewall_lets_players_in_and_nobody_else(lab, provider):
    instance = await start(provider)
    rules = lab.firewall_config("vm", "pve1", instance.id)
    assert {
        key: int(value) if str(value).isdigit() else value
        for key, value in rules["options"].items()
        if key not in ("dhcp", "radv")
    } == {"enable": 1, "policy_in": "DROP", "policy_out": "DROP", "macfilter": 1, "ipfilter": 1}
    told = {(one["type"], one["action"], one.get("source"), one.get("dest")) for one in rules["rules"]}
    assert told == {("in", "ACCEPT", "10.8.0.0/24", None), ("out", "ACCEPT", None, "10.8.0.0/24")}
    assert rules["ipset"] == {"ipfilter-net0": [{"cidr": instance.address}]}


async def test_the_card_is_in_the_realm_s_network_and_the_only_one(lab, provider):
    instance = await start(provider)
    config = lab.vm(instance.id).config
    card = dict(part.split("=") for part in config["net0"].split(","))
    assert (card["bridge"], card["firewall"]) == ("vmbr1", "1")
    assert "net1" not in config


async def test_the_address_goes_with_the_id(lab, provider):
    instances = await asyncio.gather(*(start(provider) for _ in range(5)))
    assert len({one.address for one in instances}) == 5
    assert {one.address for one in instances} == {f"10.66.1.{10 + int(one.id) - 9000}" for one in instances}


async def test_an_address_of_the_network_s_own_server_is_asked_of_the_agent(lab, make_provider):
    network = RealmNetwork(bridge="vmbr1", players=("10.8.0.0/24",))
    instance = await start(make_provider(dynamic=dynamic(networks={"wz01": network})))
    assert instance.address == "192.0.2.10"
    options = lab.firewall_config("vm", "pve1", instance.id)["options"]
    assert (int(options["dhcp"]), int(options["ipfilter"])) == (1, 0)


async def test_a_reset_makes_it_anew_with_the_same_address_and_card(lab, provider):
    order = make_order()
    before = await start(provider, order)
    card = lab.vm(before.id).config["net0"]
    born = lab.vm(before.id)
    after = await provider.reset("wz01", "hello", again(order, 2))
    assert (after.id, after.address, after.generation) == (before.id, before.address, 2)
    assert lab.vm(after.id) is not born
    assert lab.vm(after.id).config["net0"] == card


async def test_a_container_is_cloned_too(pve, make_provider):
    told = {"chatsubo.dynamic": "true", "chatsubo.template": "small"}
    card = "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:05,ip=dhcp,type=veth"
    root = {"rootfs": "local-lvm:base-100-disk-0,size=2G", "net0": card}
    add_ct(pve, 100, told, snapshot="", status="stopped", template=True, config=root)
    instance = await start(make_provider(dynamic=dynamic()), template="small")
    clone = pve.ct(instance.id)
    assert (clone.status, clone.name) == ("running", instance.name)
    assert f"ip={instance.address}/24" in clone.config["net0"]
    assert "firewall=1" in clone.config["net0"]


async def test_a_container_whose_address_cannot_be_asked_needs_configured_ones(pve, make_provider):
    pve.vintage = 8
    told = {"chatsubo.dynamic": "true", "chatsubo.template": "small"}
    root = {"rootfs": "local-lvm:base-100-disk-0,size=2G", "net0": "name=eth0,bridge=vmbr0,ip=dhcp"}
    add_ct(pve, 100, told, snapshot="", status="stopped", template=True, config=root)
    network = RealmNetwork(bridge="vmbr1", players=("10.8.0.0/24",))
    with pytest.raises(Misconfigured) as raised:
        await start(make_provider(dynamic=dynamic(networks={"wz01": network})), template="small")
    assert "configure addresses" in raised.value.detail
    assert [one.vmid for one in pve.cts] == [100]


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
    template = (await provider._launcher._clones.look()).templates["hello"]
    told = identity("cluster", "wz01", template, order)
    killed = asyncio.ensure_future(provider._launcher._clones.make(template, order, told, None, set()))
    await begun.wait()
    instance = await start(make_provider(dynamic=dynamic()), again(order))
    await killed
    assert [vm.vmid for vm in lab.vms] == [100, instance.id]


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
