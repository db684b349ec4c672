"""``chatsubo plugin check pve`` against a fake cluster, as somebody types it who has one."""

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.pve import cluster
from tests.pve.fake import SECRET, RealisticPve

NETWORK = {
    "bridge": "vmbr1",
    "addresses": "10.66.1.10-10.66.1.59/24",
    "gateway": "10.66.1.1",
    "players": ["10.8.0.0/24"],
}


@pytest.fixture
def settings(lab: RealisticPve, ca: Path) -> dict[str, Any]:
    """What stands below the provider's name in the configuration."""
    cluster.add_vm(lab, 101, cluster.labels())
    token = {"name": "game", "value": SECRET}
    return {
        "realms": ["wz01"],
        "api": {"host": "127.0.0.1", "port": lab.port, "user": "chatsubo@pve", "token": token},
        "ca": str(ca),
        "dynamic": {"vmids": cluster.VMIDS, "networks": {"wz01": NETWORK}},
    }


async def checked(folder: Path, settings: Mapping[str, Any], *options: str) -> tuple[int | None, str]:
    """Run the command; return its exit code and all that it says."""
    file = folder / "chatsubo.yml"
    file.write_text(json.dumps({"providers": {"pve": {"cluster": settings}}}))
    command = (sys.executable, "-m", "chatsubo.cli", "plugin", "check", "pve", "--config", str(file), *options)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_a_cluster_passes_and_is_left_as_it_was(
    lab: RealisticPve, settings: dict[str, Any], tmp_path: Path
) -> None:
    before = {vm.vmid for vm in lab.vms}
    code, said = await checked(tmp_path, settings, "--reset", "mail", "--crowd", "2")
    assert code == 0, said
    lines = said.splitlines()
    assert lines[0] == "pve/cluster"
    assert lines[1].startswith("  ! The firewall of the datacenter is off")
    assert "It starts the template hello in the realm wz01, up to 2 at once." in said
    assert "It resets the machine of mail, which players share." in said
    assert "✓ A classic reset returns the machine where it was" in said
    assert re.match(r"[1-9]\d* passed, 0 failed, ", lines[-1])
    assert SECRET not in said
    assert {vm.vmid for vm in lab.vms} == before


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--realm", "elsewhere"), "it does not serve the realm elsewhere; it serves wz01"),
        (("--template", "nothing"), "there is no dynamic template nothing; it has hello"),
        (("--reset", "nothing"), "there is no classic machine of nothing in the realm wz01; it has mail"),
        (("--only", "nothing of the kind"), "no check has nothing_of_the_kind in its name"),
    ],
)
async def test_what_is_not_there_is_told_before_anything_is_started(
    settings: dict[str, Any], tmp_path: Path, options: tuple[str, ...], reason: str
) -> None:
    code, said = await checked(tmp_path, settings, *options)
    assert (code, said) == (1, f"pve/cluster\n  ✗ {reason}\n")


async def test_a_cluster_that_nobody_answers_for_is_told_with_what_to_do(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    code, said = await checked(tmp_path, {**settings, "api": {**settings["api"], "port": 9}})
    assert code == 1
    assert "no connection to 127.0.0.1:9" in said
    assert "→ Look at api.host and api.port, and whether the node is up." in said
