"""What doctor says about a cluster."""

import pytest

from chatsubo.providers.pve.checks import CLASSIC_RIGHTS, DYNAMIC_RIGHTS
from tests.pve.cluster import HELLO, add_template, add_vm, dynamic, labels


async def wrong(provider):
    check = await provider.check()
    assert check.reachable
    return [str(one.text) for one in check.findings if not one.ok]


async def test_a_cluster_that_is_well_has_nothing_to_tell(pve, make_provider):
    add_vm(pve, 100, labels())
    add_template(pve, 101, HELLO)
    pve.firewall_config("cluster")["options"]["enable"] = 1
    provider = make_provider(dynamic=dynamic())
    assert await wrong(provider) == []
    told = [str(one.text) for one in (await provider.check()).findings]
    assert "Shared machines: 1; templates of clones: 1" in told
    assert any(text.startswith("Proxmox VE 9") for text in told)


async def test_rights_that_are_missing_are_named(pve, make_provider):
    pve.grant("chatsubo@pve", "/vms", "VM.Audit", "VM.Monitor")
    [text] = await wrong(make_provider())
    assert text == "The token lacks these rights: VM.PowerMgmt, VM.Snapshot.Rollback / VM.Snapshot"


@pytest.mark.parametrize(("version", "missing"), [("7.4-17", False), ("8.3.0", True), ("9.0.10", True)])
async def test_the_right_to_use_a_bridge_is_needed_from_version_8_on(pve, make_provider, version, missing):
    pve.version = version
    pve.grant("chatsubo@pve", "/", *(name for names in CLASSIC_RIGHTS + DYNAMIC_RIGHTS for name in names))
    told = [text for text in await wrong(make_provider(dynamic=dynamic())) if "lacks these rights" in text]
    assert told == (["The token lacks these rights: SDN.Use"] if missing else [])


async def test_nodes_that_are_not_there_or_away_are_named(pve, make_provider):
    pve.set_node_offline("pve2")
    assert await wrong(make_provider(nodes=("pve2", "pve7"))) == [
        "There is no node pve7; there are: pve1, pve2",
        "The node pve2 is not online.",
    ]


async def test_a_firewall_that_is_off_is_told(pve, make_provider):
    assert await wrong(make_provider(dynamic=dynamic())) == [
        "The firewall of the datacenter is off: the rules of clones have no effect."
    ]


async def test_an_old_version_is_told(pve, make_provider):
    pve.version = "6.4-15"
    assert await wrong(make_provider()) == ["Proxmox VE 6.4-15 answers."]
