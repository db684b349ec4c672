"""Versions 7 to 9 in their own shapes: what they leave out, do not know, and how they tell an error."""

import pytest

from chatsubo.providers.exc import Misconfigured
from chatsubo.testing.orders import again, make_order
from tests.pve import cluster
from tests.pve.cluster import HELLO, add_ct, add_template, add_vm, dynamic, labels

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"


@pytest.fixture(params=[(7, "7.2-11"), (8, "8.3.0"), (9, "9.0.10")], ids=["7", "8", "9"])
def version(request, pve):
    """A cluster of one version: 7 tells errors in the reason phrase, and does not start after a rollback."""
    pve.vintage, pve.version = request.param
    pve.reasons_only = pve.vintage == 7
    if pve.vintage == 7:
        pve.refuse_parameter = ("start", UNKNOWN)
    cluster.boot_with_agent(pve)
    return pve.vintage


async def test_shared_machines_work(version, pve, make_provider):
    add_vm(pve, 100, labels("mail"), status="stopped")
    add_ct(pve, 101, labels("web"), status="stopped")
    provider = make_provider()
    assert len((await provider.list_instances()).items) == 2
    assert (await provider.reset("wz01", "mail")).running
    assert (await provider.reset("wz01", "web")).running
    assert (pve.vm(100).status, pve.ct(101).status) == ("running", "running")


async def test_clones_work(version, pve, make_provider):
    add_template(pve, 100, HELLO)
    provider = make_provider(dynamic=dynamic())
    order = make_order()
    before = await provider.start_dynamic_instance("wz01", "hello", order.id, order)
    after = await provider.reset("wz01", "hello", again(order, 2))
    assert (after.id, after.address) == (before.id, before.address)
    await provider.stop_dynamic_instance(order.id)
    assert [vm.vmid for vm in pve.vms] == [100]


async def test_its_check_is_good(version, pve, make_provider):
    check = await make_provider().check()
    assert (check.reachable, [str(one.text) for one in check.findings if not one.ok]) == (True, [])


async def test_errors_are_understood(version, pve, make_provider):
    add_vm(pve, 100, labels())
    pve.fail("POST", "/rollback", 500, "snapshot 'clean' does not exist")
    with pytest.raises(Misconfigured) as raised:
        await make_provider().reset("wz01", "mail")
    assert "snapshot 'clean' does not exist" in raised.value.detail
