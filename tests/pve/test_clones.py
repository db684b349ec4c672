"""Machines for each player: what a clone is given, what keeps it apart, and that nothing stays behind."""

import asyncio

import pytest

from chatsubo.providers.exc import Misconfigured
from chatsubo.providers.pve.clones import HEADING
from chatsubo.providers.pve.config import RealmNetwork
from chatsubo.testing.orders import again, make_order
from tests.pve.cluster import HELLO, add_ct, add_template, dynamic, start


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


@pytest.mark.parametrize("kind", ["qemu", "lxc"])
async def test_the_rules_that_a_clone_inherits_from_its_template_do_not_count(lab, provider, kind):
    """A real one copies them, which would let players of other machines in."""
    told = {"chatsubo.dynamic": "true", "chatsubo.template": "small"}
    root = {"rootfs": "local-lvm:base-101-disk-0,size=2G", "net0": "name=eth0,bridge=vmbr0,ip=dhcp"}
    add_ct(lab, 101, told, snapshot="", status="stopped", template=True, config=root)
    inherited = lab.firewall_config("vm", "pve1", 100 if kind == "qemu" else 101)
    inherited["rules"] += [{"type": way, "action": "ACCEPT", "enable": 1} for way in ("in", "out", "in")]
    inherited["ipset"]["ipfilter-net0"] = [{"cidr": "10.66.1.0/24"}]
    instance = await start(provider, template="hello" if kind == "qemu" else "small")
    rules = lab.firewall_config("vm", "pve1", instance.id)
    assert {(one.get("source"), one.get("dest")) for one in rules["rules"]} == {
        ("10.8.0.0/24", None),
        (None, "10.8.0.0/24"),
    }
    assert [one["cidr"] for one in rules["ipset"]["ipfilter-net0"]] == [instance.address]


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


async def test_an_address_is_taken_from_the_clone_s_own_card(lab, make_provider):
    """Programs in the guest make networks of their own, which nobody reaches it by."""
    booted = lab._do_start

    async def start_with_networks(vm, user, values):
        card = dict(part.split("=") for part in vm.config["net0"].split(","))["virtio"]
        shown = {"docker0": ("02:42:AC:11:00:01", "172.17.0.1"), "eth0": (card.lower(), "10.66.1.42")}
        upid = await booted(vm, user, values)
        vm.agent["interfaces"] = [
            {"name": name, "hardware-address": mac, "ip-addresses": [{"ip-address": address}]}
            for name, (mac, address) in shown.items()
        ]
        return upid

    lab._do_start = start_with_networks
    network = RealmNetwork(bridge="vmbr1", players=("10.8.0.0/24",))
    assert (await start(make_provider(dynamic=dynamic(networks={"wz01": network})))).address == "10.66.1.42"


async def test_a_template_s_note_that_was_changed_a_moment_ago_counts(lab, provider):
    await provider.list_templates()
    vm = lab.vm(100)
    vm.config["description"] = vm.config["description"].replace("/home/level0/flag", "/root/flag")
    instance = await start(provider)
    asked = dict(lab.vm(instance.id).agent_requests)
    assert asked["file-write"]["file"] == "/root/flag"


async def test_a_clone_is_shown_as_running_while_the_list_does_not_know_it_yet(lab, provider):
    """Else its player is told that it has stopped by itself."""
    lab.lag = 60.0
    order = make_order()
    await start(provider, order)
    [instance] = (await provider.list_instances()).items
    assert (instance.session, instance.running) == (order.id, True)


async def test_a_clone_that_was_moved_to_a_node_that_does_not_count_is_still_ours(lab, make_provider):
    provider = make_provider(dynamic=dynamic(), nodes=("pve1",))
    order = make_order()
    instance = await start(provider, order)
    lab.add_node("pve2")
    lab.vm(instance.id).node = "pve2"
    assert [one.session for one in (await provider.list_instances()).items] == [order.id]
    await provider.stop_dynamic_instance(order.id)
    assert [vm.vmid for vm in lab.vms] == [100]


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
