"""Machines that all players share: found by the labels in their Notes, and brought back to their snapshot."""

import pytest

from chatsubo.providers.exc import InstanceNotFound
from tests.pve.cluster import add_ct, add_vm, labels


async def test_virtual_machines_and_containers_with_labels_and_a_snapshot_are_boxes(pve, make_provider):
    add_vm(pve, 100, labels("mail"), name="mail", status="stopped")
    add_ct(pve, 101, labels("web", realm="wz02", address="10.66.0.9"), name="web", node="pve2")
    add_vm(pve, 102, {}, name="office")
    provider = make_provider()
    listing = await provider.list_instances()
    found = {one.id: (one.name, one.template, one.realm, one.address, one.running) for one in listing.items}
    assert found == {
        100: ("mail", "mail", "wz01", "10.66.0.7", False),
        101: ("web", "web", "wz02", "10.66.0.9", True),
    }
    assert [one.name for one in (await provider.list_templates()).items] == ["mail", "web"]
    assert not listing.rejected


async def test_a_reset_goes_back_to_the_parent_and_starts_the_machine(pve, make_provider):
    vm = add_vm(pve, 100, labels(), config={"cores": 2})
    vm.config["cores"] = 4
    instance = await make_provider().reset("wz01", "mail")
    assert (vm.config["cores"], vm.status, instance.running) == (2, "running", True)
    assert [one["type"] for one in pve.tasklog] == ["qmrollback"]


async def test_there_is_nothing_to_reset_where_there_is_no_such_machine(pve, make_provider):
    add_vm(pve, 100, labels())
    with pytest.raises(InstanceNotFound):
        await make_provider().reset("wz02", "mail")
