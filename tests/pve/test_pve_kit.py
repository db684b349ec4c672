"""The pve plugin is held to what every provider is held to, on a fake cluster that takes its time."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fakepve import FakeVm

from chatsubo.providers.base import BaseInstance
from chatsubo.providers.pve import PveProvider
from chatsubo.testing import ProviderKit, Proxied, Proxy
from tests.pve import cluster
from tests.pve.fake import SECRET, RealisticPve


class Reached:
    """A fake that is reached through a proxy."""

    def __init__(self, pve: RealisticPve, proxy: Proxy, ca: Path) -> None:
        self.pve = pve
        self.proxy = proxy
        self.ca = ca
        self.next = 100

    def make(self, **changes: Any) -> PveProvider:
        return cluster.make(self.pve, str(self.ca), self.proxy.port, **changes)

    def vmid(self) -> int:
        self.next += 1
        return self.next


class PveKit(Proxied, ProviderKit):
    secrets = (SECRET,)

    @property
    def reached(self) -> Reached:
        found: Any = self.backend
        assert isinstance(found, Reached)
        return found

    @property
    def proxy(self) -> Proxy:
        return self.reached.proxy

    @property
    def pve(self) -> RealisticPve:
        return self.reached.pve

    @pytest.fixture
    async def hypervisor(self, pve: RealisticPve, ca: Path) -> AsyncIterator[Reached]:
        cluster.boot_with_agent(pve)
        cluster.add_template(pve, 100, cluster.HELLO)
        with Proxy(f"127.0.0.1:{pve.port}") as proxy:
            yield Reached(pve, proxy, ca)

    async def refuse(self) -> None:
        self.pve.mood = "refuse"

    async def garble(self) -> None:
        self.pve.mood = "garble"

    async def back(self) -> None:
        self.pve.mood = ""
        await super().back()

    def guest(self, instance: BaseInstance) -> FakeVm:
        return self.pve.vm(int(instance.id))

    async def spoil(self, instance: BaseInstance) -> None:
        self.guest(instance).config["cores"] = 7

    async def is_spoiled(self, instance: BaseInstance) -> bool:
        return bool(self.guest(instance).config.get("cores") == 7)


class TestDynamicPve(PveKit):
    """Linked clones of templates."""

    @pytest.fixture
    def provider(self, hypervisor: Reached) -> PveProvider:
        return hypervisor.make(dynamic=cluster.dynamic())

    @pytest.fixture
    def other(self, hypervisor: Reached) -> PveProvider:
        return hypervisor.make(dynamic=cluster.dynamic())

    async def traces(self, session: str) -> list[str]:
        guests = [f"vm {vm.vmid}" for vm in self.pve.vms if session in vm.config.get("description", "")]
        disks = [name for name in self.pve.storages["local-lvm"].get("volumes", {}) if "vm-90" in name]
        return guests + (disks if not [vm for vm in self.pve.vms if vm.vmid >= 9000] else [])

    async def plant_template(self, name: str, labels: Mapping[str, str]) -> None:
        cluster.add_template(self.pve, self.reached.vmid(), labels, name=name)

    async def plant_unusable(self) -> str:
        vm = cluster.add_template(self.pve, self.reached.vmid(), {}, name="unusable")
        vm.template = False
        return "unusable"

    async def plant_broken(self) -> str:
        vm = cluster.add_template(self.pve, self.reached.vmid(), {}, name="broken")
        vm.config["scsi0"] = "no-such-storage:base-1-disk-0"
        return "broken"


class TestClassicPve(PveKit):
    """Machines that an operator made, with a snapshot."""

    abilities = frozenset({"classic"})

    @pytest.fixture
    def provider(self, hypervisor: Reached) -> PveProvider:
        return hypervisor.make()

    @pytest.fixture
    def other(self, hypervisor: Reached) -> PveProvider:
        return hypervisor.make()

    async def plant_machine(self, name: str, labels: Mapping[str, str]) -> None:
        cluster.add_vm(self.pve, self.reached.vmid(), labels, name=name)

    async def plant_unusable(self) -> str:
        cluster.add_vm(self.pve, self.reached.vmid(), self.machine_labels("x"), name="unusable", snapshot="")
        return "unusable"

    async def halt(self, instance: BaseInstance) -> None:
        vm = self.guest(instance)
        vm.status = vm.qmpstatus = "stopped"
