"""What carries labels and cannot be used is listed with its reason."""

import pytest

from tests.pve.cluster import add_ct, add_template, add_vm, dynamic, labels


async def reasons(provider):
    listing = await provider.list_instances()
    return {one.name: str(one.reason) for one in listing.rejected}, [one.template for one in listing.items]


@pytest.mark.parametrize("missing", ["template", "realm", "address"])
async def test_a_label_that_is_missing_is_named(pve, make_provider, missing):
    told = labels()
    del told[f"chatsubo.{missing}"]
    add_vm(pve, 100, told, name="odd")
    assert await reasons(make_provider()) == ({"odd": f"the label chatsubo.{missing} is missing"}, [])


async def test_one_that_cannot_be_used_takes_nothing_from_the_others(pve, make_provider):
    add_vm(pve, 100, labels("good"))
    add_vm(pve, 101, labels("bare"), name="bare", snapshot="")
    add_vm(pve, 102, labels("lost", address="no address"), name="lost")
    add_vm(pve, 103, labels("frozen"), name="frozen", template=True)
    add_vm(pve, 104, labels("good"), name="twin")
    add_vm(pve, 105, labels("old", snapshot="gone"), name="old")
    add_vm(pve, 106, {"chatsubo.dynamic": "true"}, name="dynamic")
    rejected, found = await reasons(make_provider())
    assert found == ["good"]
    assert rejected == {
        "bare": "it has no snapshot to go back to",
        "lost": "the label chatsubo.address is no address",
        "frozen": "it is a template, which cannot run: chatsubo.dynamic=true makes clones of it",
        "twin": "another guest is good in the realm wz01 already: vm100",
        "old": "it has no snapshot gone, which its label names",
        "dynamic": "it is marked as dynamic, but the provider has no section dynamic",
    }


async def test_a_machine_of_another_realm_is_another_provider_s(pve, make_provider):
    add_vm(pve, 100, labels(realm="elsewhere"))
    assert await reasons(make_provider()) == ({}, [])


async def test_a_bad_credential_does_not_take_its_machine_away(pve, make_provider):
    told = {**labels(), "chatsubo.creds.ssh.password": "no user", "chatsubo.flags.root.value": "FLAG{a=b}"}
    add_vm(pve, 100, {**told, "chatsubo.flags.root.points": "50"})
    [instance] = (await make_provider().list_instances()).items
    assert [(one.name, one.value) for one in instance.flags] == [("root", "FLAG{a=b}")]
    assert instance.creds == ()


async def test_a_snapshot_can_be_named_where_the_present_state_has_no_parent(pve, make_provider):
    vm = add_vm(pve, 100, labels(snapshot="clean"))
    del vm.config["parent"]
    assert await reasons(make_provider()) == ({}, ["mail"])


async def test_templates_that_no_clone_can_be_made_of_are_named(pve, make_provider):
    needs = {"chatsubo.file.FLAG0": "/root/flag"}
    add_template(pve, 100, {"chatsubo.template": "deaf", **needs}, name="deaf", config={"agent": "0"})
    add_ct(pve, 101, {"chatsubo.dynamic": "true", **needs}, name="boxed", snapshot="", status="stopped")
    add_ct(pve, 102, {"chatsubo.dynamic": "true"}, name="busy", snapshot="")
    add_template(pve, 103, {"chatsubo.template": "fine"}, name="fine")
    add_template(pve, 104, {"chatsubo.template": "fine"}, name="again")
    rejected, _ = await reasons(make_provider(dynamic=dynamic()))
    assert rejected == {
        "deaf": "files and programs are brought in by the guest agent: turn it on in the options",
        "boxed": "files and programs cannot be brought into containers: use a virtual machine",
        "busy": "it is marked as dynamic, but runs: stop it, or convert it to a template",
        "again": "another guest is the template fine already: 103",
    }
