"""What the configuration and a template's labels ask for beyond the usual reaches the clone."""

import asyncio
from urllib.parse import parse_qs, unquote

import pytest

from chatsubo.providers.base import Readiness
from chatsubo.providers.exc import NotReady
from chatsubo.providers.pve.config import Addresses, RealmNetwork
from chatsubo.testing.orders import make_order
from tests.pve.cluster import HELLO, add_ct, add_template, dynamic, start
from tests.pve.fake import DHCP

SMALL = {"chatsubo.dynamic": "true", "chatsubo.template": "small"}
ROOT = {"rootfs": "local-lvm:vm-101-disk-0,size=2G", "net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:05,ip=dhcp"}
HERE = Addresses.from_text("127.0.0.10-127.0.0.59/8")


def asked_of_clones(pve):
    """Return the parameters of all requests for clones."""
    bodies = [body for method, path, body in pve.requests if method == "POST" and path.endswith("/clone")]
    return [{key: value for key, [value] in parse_qs(body.decode()).items()} for body in bodies]


async def test_what_is_no_template_is_copied_whole_to_the_configured_storage(lab, make_provider):
    add_ct(lab, 101, SMALL, snapshot="", status="stopped", config=ROOT)
    provider = make_provider(dynamic=dynamic(storage="local-lvm"))
    await start(provider, template="small")
    await start(provider)
    whole, linked = asked_of_clones(lab)
    assert (whole["full"], whole["storage"]) == ("1", "local-lvm")
    assert (linked["full"], "storage" in linked) == ("0", False)


@pytest.mark.parametrize("vintage", [8, 9])
async def test_a_network_s_vlan_name_server_and_router_reach_the_clone(lab, make_provider, vintage):
    lab.vintage = vintage
    network = RealmNetwork(
        bridge="vmbr1",
        vlan=7,
        addresses=Addresses.from_text("10.66.1.10-10.66.1.59/24"),
        gateway="10.66.1.1",
        dns="10.66.1.2",
        players=("10.8.0.0/24",),
    )
    instance = await start(make_provider(dynamic=dynamic(networks={"wz01": network})))
    config = lab.vm(instance.id).config
    assert ("tag=7" in config["net0"], config["nameserver"]) == (True, "10.66.1.2")
    assert config["ipconfig0"] == f"ip={instance.address}/24,gw=10.66.1.1"
    rules = lab.firewall_config("vm", "pve1", instance.id)["rules"]
    assert [one["macro"] for one in rules if one.get("dest") == "10.66.1.2"] == ["DNS"]


async def test_no_rules_are_made_where_the_network_keeps_clones_apart(lab, make_provider):
    instance = await start(make_provider(dynamic=dynamic(firewall=False)))
    assert "firewall=0" in lab.vm(instance.id).config["net0"]
    assert not lab.count("POST", "/firewall/")


async def test_keys_owner_and_permissions_reach_the_guest(lab, make_provider):
    key = "ssh-ed25519 AAAAC3Nza+/= level0@chatsubo"
    told = {"chatsubo.template": "keyed", "chatsubo.cloudinit.keys": key}
    add_template(
        lab, 101, {**HELLO, **told, "chatsubo.file.FLAG0.owner": "1000:100", "chatsubo.file.FLAG0.mode": "440"}
    )
    instance = await start(make_provider(dynamic=dynamic()), template="keyed")
    vm = lab.vm(instance.id)
    assert unquote(vm.config["sshkeys"]) == key
    assert [one["command"] for command, one in vm.agent_requests if command == "exec"] == [
        ["chmod", "440", "/home/level0/flag"],
        ["chown", "1000:100", "/home/level0/flag"],
    ]


async def test_the_address_that_a_container_got_is_asked_of_its_node(lab, make_provider):
    add_ct(
        lab,
        101,
        SMALL,
        snapshot="",
        status="stopped",
        template=True,
        config={**ROOT, "rootfs": "local-lvm:base-101-disk-0,size=2G"},
    )
    network = RealmNetwork(bridge="vmbr1", players=("10.8.0.0/24",))
    provider = make_provider(dynamic=dynamic(networks={"wz01": network}))
    order = make_order(seconds=20)
    instance = await start(provider, order, "small")
    assert instance.address == DHCP.partition("/")[0]
    [listed] = (await provider.list_instances()).items
    assert (listed.address, listed.running) == (instance.address, True)


async def test_a_port_that_answers_is_waited_for_where_clones_can_be_reached(lab, make_provider):
    listening = await asyncio.start_server(lambda _reader, writer: writer.close(), "0.0.0.0", 0)
    add_template(
        lab, 101, {**HELLO, "chatsubo.template": "web", "chatsubo.ready": str(listening.sockets[0].getsockname()[1])}
    )
    networks = {"wz01": RealmNetwork(bridge="vmbr1", addresses=HERE, players=("10.8.0.0/24",))}
    provider = make_provider(dynamic=dynamic(networks=networks, reachable=True))
    lab.lag = 60.0
    async with listening:
        instance = await start(provider, template="web")
    assert instance.readiness is Readiness.LISTENING
    [listed] = (await provider.list_instances()).items
    assert (listed.address, listed.running) == (instance.address, True)


async def test_a_port_that_never_answers_is_told_and_nothing_is_left(lab, make_provider):
    closed = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    add_template(lab, 101, {**HELLO, "chatsubo.template": "web", "chatsubo.ready": str(port)})
    networks = {"wz01": RealmNetwork(bridge="vmbr1", addresses=HERE, players=("10.8.0.0/24",))}
    provider = make_provider(dynamic=dynamic(networks=networks, reachable=True), ready_timeout=2.0)
    async with closed:
        with pytest.raises(NotReady) as raised:
            await start(provider, template="web")
    assert str(port) in raised.value.detail
    assert [vm.vmid for vm in lab.vms] == [100, 101]
