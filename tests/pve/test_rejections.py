"""What carries labels and cannot be used is listed with its reason."""

import uuid

import pytest

from chatsubo.providers.pve.config import RealmNetwork
from tests.pve.cluster import add_ct, add_template, add_vm, dynamic, labels

NO_VALUES = (
    "containers are not given values of a session: write flags and accesses out, or use a virtual machine; "
    "its labels ask for"
)


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
        "boxed": f"{NO_VALUES} $FLAG0, chatsubo.file",
        "busy": "it is marked as dynamic, but runs: stop it, or convert it to a template",
        "again": "another guest is the template fine already: 103",
    }


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ({"flags.user.value": "$FLAG0", "flags.user.points": "100"}, "$FLAG0"),
        ({"creds.ssh.username": "level0", "creds.ssh.password": "${RNG3}"}, "$RNG3"),
        ({"cloudinit.user": "level0"}, "chatsubo.cloudinit"),
        ({"exec": "/opt/setup"}, "chatsubo.exec"),
    ],
)
async def test_a_container_that_asks_for_values_is_told_that_it_gets_none(pve, make_provider, told, asked):
    """Its players would look for a flag that is nowhere."""
    ours = {"chatsubo.dynamic": "true", **{f"chatsubo.{key}": value for key, value in told.items()}}
    add_ct(pve, 100, ours, name="boxed", snapshot="", status="stopped", template=True)
    provider = make_provider(dynamic=dynamic())
    assert await reasons(provider) == ({"boxed": f"{NO_VALUES} {asked}"}, [])
    assert not (await provider.list_templates()).items
    findings = [str(one.text) for one in (await provider.check()).findings if not one.ok]
    assert f"The guest boxed cannot be used: {NO_VALUES} {asked}" in findings


async def test_a_container_with_flags_of_its_own_is_a_template(pve, make_provider):
    told = {"chatsubo.dynamic": "true", "chatsubo.flags.user.value": "FLAG{same}", "chatsubo.flags.user.points": "1"}
    add_ct(pve, 100, told, name="boxed", snapshot="", status="stopped", template=True)
    provider = make_provider(dynamic=dynamic())
    assert await reasons(provider) == ({}, [])
    assert [one.name for one in (await provider.list_templates()).items] == ["boxed"]


@pytest.mark.parametrize("networks", [None, {"wz01": RealmNetwork(bridge="vmbr1", players=("10.8.0.0/24",))}])
@pytest.mark.parametrize("told", [{}, {"chatsubo.cloudinit.user": "level0"}])
async def test_a_template_without_a_cloud_init_drive_is_told_where_it_needs_one(pve, make_provider, networks, told):
    vm = add_template(pve, 100, told, name="bare")
    del vm.config["ide2"]
    provider = make_provider(dynamic=dynamic(**({"networks": networks} if networks else {})))
    needed = "it has no cloud-init drive, which brings account, password, keys and address in: add one"
    assert (await reasons(provider))[0] == ({"bare": needed} if told or not networks else {})


@pytest.mark.parametrize("drive", ["local-lvm:vm-100-cloudinit,media=cdrom", "local:100/vm-100-cloudinit.qcow2"])
async def test_cloud_init_drives_of_all_storages_are_known(pve, make_provider, drive):
    vm = add_template(pve, 100, {}, name="fine")
    vm.config["ide2"] = drive
    assert await reasons(make_provider(dynamic=dynamic())) == ({}, [])


async def test_values_that_nothing_brings_into_a_clone_are_named(pve, make_provider):
    told = {"chatsubo.file.FLAG0": "/flag", "chatsubo.cloudinit.password": "$RNG0", "chatsubo.creds.ssh.username": "me"}
    flags = {f"chatsubo.flags.f{number}.value": f"$FLAG{number}" for number in range(3)}
    add_template(pve, 100, {**told, **flags, "chatsubo.template": "leaky"})
    add_template(pve, 101, {**told, **flags, "chatsubo.template": "told", "chatsubo.exec": "/opt/setup"})
    templates = {one.name: one for one in (await make_provider(dynamic=dynamic()).list_templates()).items}
    assert [str(one) for one in templates["leaky"].warnings if "brings" in str(one)] == [
        "nothing brings FLAG1, FLAG2 into its clones: chatsubo.file, chatsubo.exec and chatsubo.cloudinit do"
    ]
    assert not [str(one) for one in templates["told"].warnings if "brings" in str(one)]


async def test_a_box_whose_id_is_in_the_range_of_clones_is_told(pve, make_provider):
    add_vm(pve, 9000, labels(), name="mail")
    session = {"chatsubo.session": str(uuid.uuid4()), "chatsubo.provider": "another"}
    add_vm(pve, 9001, {**labels(), **session}, name="theirs")
    add_vm(pve, 9002, {}, name="office")
    told = "its id is in the range for clones: give it another one, or change dynamic.vmids"
    assert await reasons(make_provider(dynamic=dynamic())) == ({"mail": told}, [])
