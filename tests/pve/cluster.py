"""A cluster with guests, for tests."""

import time
from collections.abc import Mapping
from typing import Any

import msgspec
from fakepve import FakeCt, FakeVm

from chatsubo.config import Host, Secret
from chatsubo.providers.base import BaseInstance, BaseTemplate, StartOrder
from chatsubo.providers.pve import PveProvider
from chatsubo.providers.pve.config import Addresses, Api, Dynamic, PveConfig, RealmNetwork, Token, Vmids
from chatsubo.testing.orders import make_order
from tests.pve.fake import SECRET, RealisticPve

VMIDS = "9000-9049"
NETWORK = RealmNetwork(
    bridge="vmbr1",
    addresses=Addresses.from_text("10.66.1.10-10.66.1.59/24"),
    gateway="10.66.1.1",
    players=("10.8.0.0/24",),
)


def dynamic(**changes: Any) -> Dynamic:
    """Return the section ``dynamic`` of a configuration."""
    usual: dict[str, Any] = {"vmids": Vmids.from_text(VMIDS), "networks": {"wz01": NETWORK}}
    return Dynamic(**{**usual, **changes})


def make(pve: RealisticPve, authority: str, port: int = 0, **changes: Any) -> PveProvider:
    """Return a provider for a fake."""
    token = Token(name="game", value=Secret(SECRET))
    usual: dict[str, Any] = {
        "realms": ("wz01", "wz02"),
        "api": Api(user="chatsubo@pve", host=Host("127.0.0.1"), port=port or pve.port, token=token),
        "ca": authority,
        "request_timeout": 5.0,
    }
    return PveProvider.from_config("cluster", PveConfig(**{**usual, **changes}), ())


def written(labels: Mapping[str, str]) -> str:
    """Return Notes as somebody writes them, with prose around the labels and the line ends of a browser."""
    return "\r\n".join(["# A box of ours", "---", *(f"{key}={value}" for key, value in labels.items()), "---", "bye"])


def labels(template: str = "mail", realm: str = "wz01", **more: str) -> dict[str, str]:
    """Return the labels of a classic machine."""
    own = {"template": template, "realm": realm, "address": "10.66.0.7", **more}
    return {f"chatsubo.{key}": value for key, value in own.items()}


def add_vm(
    pve: RealisticPve, vmid: int, told: Mapping[str, str], *, snapshot: str = "clean", ram: bool = False, **more: Any
) -> FakeVm:
    """Add a virtual machine with these labels and, unless told otherwise, a snapshot."""
    config = {"description": written(told), "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0", **more.pop("config", {})}
    vm = pve.add_vm(vmid, more.pop("name", f"vm{vmid}"), config=config, **{"status": "running", **more})
    if snapshot:
        vm.snapshots[snapshot] = {**config, "snaptime": int(time.time())}
        if ram:
            vm.snapshots[snapshot]["vmstate"] = f"local:vm-{vmid}-state"
        vm.config["parent"] = snapshot
    return vm


def add_ct(pve: RealisticPve, vmid: int, told: Mapping[str, str], *, snapshot: str = "clean", **more: Any) -> FakeCt:
    """Add a container with these labels and, unless told otherwise, a snapshot."""
    config = {"description": written(told), **more.pop("config", {})}
    ct = pve.add_ct(vmid, more.pop("name", f"ct{vmid}"), config=config, **{"status": "running", **more})
    if snapshot:
        ct.snapshots[snapshot] = {**ct.config, "snaptime": int(time.time())}
        ct.config["parent"] = snapshot
    return ct


def add_template(pve: RealisticPve, vmid: int, told: Mapping[str, str], **more: Any) -> FakeVm:
    """Add a template of virtual machines."""
    config = {
        "description": written({"chatsubo.dynamic": "true", **told}),
        "net0": "virtio=BC:24:11:00:00:02,bridge=vmbr0",
        "scsi0": f"local-lvm:base-{vmid}-disk-0,size=8G",
        "ide2": f"local-lvm:vm-{vmid}-cloudinit,media=cdrom",
        "agent": "1",
        **more.pop("config", {}),
    }
    return pve.add_vm(vmid, more.pop("name", f"tpl{vmid}"), config=config, template=True, **more)


HELLO = {
    "chatsubo.template": "hello",
    "chatsubo.flags.user.value": "$FLAG0",
    "chatsubo.flags.user.points": "100",
    "chatsubo.flags.root.value": "$FLAG1",
    "chatsubo.flags.root.points": "200",
    "chatsubo.creds.ssh.username": "level0",
    "chatsubo.creds.ssh.password": "$RNG0",
    "chatsubo.cloudinit.user": "level0",
    "chatsubo.cloudinit.password": "$RNG0",
    "chatsubo.file.FLAG0": "/home/level0/flag",
}


def boot_with_agent(pve: RealisticPve) -> None:
    """Give every guest an agent that answers once it runs."""
    original = pve._do_start

    async def start(vm: Any, user: str, values: Any) -> Any:
        vm.agent = {}
        return await original(vm, user, values)

    pve._do_start = start


async def inventory(provider: PveProvider) -> tuple[list[BaseTemplate], list[BaseInstance]]:
    """Return what the platform asks each time it looks."""
    return [*(await provider.list_templates()).items], [*(await provider.list_instances()).items]


def changed(provider: PveProvider, **changes: Any) -> PveProvider:
    """Return a provider like another, configured otherwise in some points."""
    return PveProvider.from_config(provider.name, msgspec.structs.replace(provider.config, **changes), ())


async def start(provider: PveProvider, order: StartOrder | None = None, template: str = "hello") -> BaseInstance:
    """Start a clone of a template for a session; for a new one, if no order is given."""
    order = order or make_order(seconds=20)
    return await provider.start_dynamic_instance("wz01", template, order.id, order)
