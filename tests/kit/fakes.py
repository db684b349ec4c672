"""The kit for the shipped fakes; those made wrong on purpose are held to it too."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import pytest

from chatsubo.config import Secret
from chatsubo.providers.base import BaseInstance, BaseProvider, BaseTemplate, Listing
from chatsubo.providers.exc import BackendConnectionException, NotReady
from chatsubo.testing import STEPS, FakeHypervisor, FakeProvider, FakeTemplate
from chatsubo.testing.hypervisor import LABELS, classic_place
from chatsubo.testing.kit import ProviderKit

TOKEN = "the-token-of-the-fake"


class KitHypervisor(FakeHypervisor):
    """A hypervisor where more than machines can be left.

    Attributes:
        left: Sessions of which something is left, a disk say.
        seen: Whatever a provider made wrong remembers, for all of its objects.
    """

    def __init__(self, templates: Sequence[FakeTemplate] = (FakeTemplate(),)) -> None:
        super().__init__(templates)
        self.left: set[str] = set()
        self.seen: set[str] = set()


class KitFake(FakeProvider):
    """A fake with a credential, with a template that does not come up, and with machines that are no boxes."""

    hypervisor: KitHypervisor

    def __init__(self, hypervisor: KitHypervisor) -> None:
        super().__init__("fake", hypervisor)
        self.token = Secret(TOKEN)

    async def list_templates(self) -> Listing[BaseTemplate]:
        listing = await super().list_templates()
        return Listing(
            [one for one in listing.items if self.is_box(one.name) and self.is_here(one.name)], listing.rejected
        )

    async def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:
        listing = await super().list_instances(realm)
        return Listing([one for one in listing.items if self.is_box(one.template)], listing.rejected)

    def is_box(self, template: str) -> bool:
        return bool(self.hypervisor.templates[template].labels)

    def is_here(self, template: str) -> bool:
        labels = self.hypervisor.templates[template].labels
        return labels.get("chatsubo.realm", self.realms[0]) in self.realms

    async def start_dynamic_instance(self, realm, template, session_id, order) -> BaseInstance:
        if template == "broken":
            self.hypervisor.fail("start:ready", NotReady("port 22 is silent"), times=1)
        return await super().start_dynamic_instance(realm, template, session_id, order)


class FakeKit(ProviderKit):
    """A dynamic fake."""

    made: ClassVar[type[KitFake]] = KitFake
    secrets = (TOKEN,)
    grace = 0.5
    hurry = 0.1

    @pytest.fixture
    def hypervisor(self) -> KitHypervisor:
        return KitHypervisor()

    @pytest.fixture
    def provider(self, hypervisor: KitHypervisor) -> BaseProvider:
        return self.made(hypervisor)

    @pytest.fixture
    def other(self, hypervisor: KitHypervisor) -> BaseProvider:
        return self.made(hypervisor)

    def place(self, instance: BaseInstance) -> str:
        return instance.session or classic_place(instance.template, instance.realm)

    async def spoil(self, instance: BaseInstance) -> None:
        self.backend.machines[self.place(instance)].disk["spoiled"] = "yes"

    async def is_spoiled(self, instance: BaseInstance) -> bool:
        return "spoiled" in self.backend.machines[self.place(instance)].disk

    async def traces(self, session: str) -> list[str]:
        return [place for place in (*self.backend.machines, *self.backend.left) if place == session]

    async def plant_template(self, name: str, labels: Mapping[str, str]) -> None:
        self.backend.templates[name] = FakeTemplate(name, dict(labels))

    async def plant_unusable(self) -> str:
        self.backend.malform("broken-box")
        return "broken-box"

    async def plant_broken(self) -> str:
        self.backend.templates["broken"] = FakeTemplate("broken", LABELS)
        return "broken"

    async def away(self) -> None:
        self.backend.away()

    async def refuse(self) -> None:
        self.backend.refuse()

    async def hang(self) -> None:
        for step in STEPS:
            self.backend.hang(step)

    async def slow(self) -> None:
        for step in STEPS:
            self.backend.slow(step, 0.2)

    async def halve(self) -> None:
        for step in STEPS:
            self.backend.fail(step, BackendConnectionException("fake", "the answer breaks off"))

    async def garble(self) -> None:
        for step in STEPS:
            self.backend.fail(step, BackendConnectionException("fake", "this is no answer"))

    async def back(self) -> None:
        self.backend.faults.clear()
        self.backend.back()


class ClassicFakeKit(FakeKit):
    """A fake whose machines are there already."""

    abilities = frozenset({"classic"})
    waived: ClassVar[Mapping[str, str]] = {"plant_template": "it has no templates but its machines"}

    @pytest.fixture
    def hypervisor(self) -> KitHypervisor:
        there = KitHypervisor([])
        there.is_dynamic = False
        return there

    async def plant_machine(self, name: str, labels: Mapping[str, str]) -> None:
        self.backend.templates[name] = FakeTemplate(name, dict(labels))
        self.backend.plant(name, labels.get("chatsubo.realm", self.realm))

    async def halt(self, instance: BaseInstance) -> None:
        self.backend.machines[self.place(instance)].ready = False
