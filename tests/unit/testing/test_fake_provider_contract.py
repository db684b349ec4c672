"""The fake is held to what every provider is held to."""

import pytest

from chatsubo.providers.base import BaseInstance
from chatsubo.testing import FakeHypervisor, FakeProvider
from tests.contract.provider_contract import ProviderContract


class TestFakeProvider(ProviderContract):
    @pytest.fixture
    def hypervisor(self) -> FakeHypervisor:
        self.there = FakeHypervisor()
        return self.there

    @pytest.fixture
    def provider(self, hypervisor: FakeHypervisor) -> FakeProvider:
        return FakeProvider(hypervisor=hypervisor)

    @pytest.fixture
    def other(self, hypervisor: FakeHypervisor) -> FakeProvider:
        return FakeProvider(hypervisor=hypervisor)

    async def spoil(self, instance: BaseInstance) -> None:
        self.there.machines[str(instance.session)].disk["spoiled"] = "yes"

    async def is_spoiled(self, instance: BaseInstance) -> bool:
        return "spoiled" in self.there.machines[str(instance.session)].disk

    async def traces(self, session: str) -> list[str]:
        return [place for place in self.there.machines if place == session]
