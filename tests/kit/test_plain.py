"""A plugin without a single ``await`` is held to the kit, as the platform runs it: in threads."""

import functools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar

import pytest

from chatsubo.config import ProviderConfig
from chatsubo.domain.text import Text
from chatsubo.providers.base import BaseInstance, BaseProvider, BaseTemplate, Check, Finding, Listing, Rejected
from chatsubo.providers.exc import (
    AccessRefused,
    BackendConnectionException,
    Cancelled,
    InstanceNotFound,
    Misconfigured,
    NotReady,
    ProviderError,
    TemplateNotFound,
    TimedOut,
)
from chatsubo.providers.labels import read_metadata
from chatsubo.testing import ProviderKit
from chatsubo.testing.hypervisor import LABELS, FakeTemplate

T = TypeVar("T")


@dataclass
class Machine:
    number: int
    labels: dict[str, str]
    address: str
    generation: int = 0
    running: bool = False
    disk: str = ""


@dataclass
class Rack:
    """A hypervisor with a client that blocks.

    Attributes:
        trouble: What is wrong with it: an error to raise, ``hang`` or ``slow``; empty while it is well.
    """

    templates: dict[str, dict[str, str]] = field(default_factory=lambda: {"hello": dict(LABELS)})
    machines: dict[str, Machine] = field(default_factory=dict)
    trouble: Exception | str = ""
    never: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    made: int = 0

    def ask(self, question: Callable[[], T]) -> T:
        if isinstance(self.trouble, Exception):
            raise self.trouble
        if self.trouble:
            self.never.wait(0.2 if self.trouble == "slow" else 1.0)
        if self.trouble == "hang":
            raise TimeoutError("no answer")
        with self.lock:
            return question()

    def put(self, name: str, labels: Mapping[str, str], generation: int, address: str | None) -> None:
        self.made += 1
        self.machines[name] = Machine(self.made, dict(labels), address or f"10.66.0.{self.made}", generation)


class PlainInstance(BaseInstance):
    def __init__(self, name: str, machine: Machine) -> None:
        told = read_metadata(machine.labels)
        assert told.realm
        super().__init__(
            machine.number,
            name,
            told.realm,
            told.template or "",
            told.address or machine.address,
            told.flags,
            told.creds,
            session=told.session,
            generation=machine.generation,
            running=machine.running,
        )


class PlainProvider(BaseProvider):
    """Its methods are plain functions, and block."""

    kind = "plain"
    is_dynamic = True

    def __init__(self, rack: Rack) -> None:
        super().__init__(["wz01"])
        self.name = "one"
        self.rack = rack
        self.turns: dict[str, threading.Lock] = {}
        self.called_off: set[str] = set()

    @classmethod
    def from_config(cls, name: str, raw_conf: ProviderConfig, vpns: Any) -> Self:
        raise NotImplementedError

    def ask(self, question: Callable[[], T]) -> T:
        try:
            return self.rack.ask(question)
        except PermissionError as error:
            raise AccessRefused(str(error)) from error
        except TimeoutError as error:
            raise TimedOut(str(error)) from error
        except (OSError, ValueError) as error:
            raise BackendConnectionException("plain/one", str(error)) from error

    def turn(self, session_id: str) -> threading.Lock:
        return self.turns.setdefault(session_id, threading.Lock())

    def check(self) -> Check:  # type: ignore[override]
        try:
            self.ask(dict)
        except ProviderError as error:
            return Check(reachable=False, is_dynamic=True, findings=[Finding(False, Text(error.detail))])
        return Check(reachable=True, is_dynamic=True, findings=[Finding(True, Text("it answers"))])

    def list_templates(self) -> Listing[BaseTemplate]:  # type: ignore[override]
        found = self.ask(lambda: dict(self.rack.templates))
        items = {
            name: BaseTemplate(name, self.name, FakeTemplate(name, labels).labels_with({}), dynamic=True)
            for name, labels in found.items()
        }
        machines = self.ask(lambda: list(self.rack.machines.values()))
        listed = self.list_instances()
        for one in listed.items:
            if one.session is None:
                labels = next(it.labels for it in machines if it.number == one.id)
                items[one.template] = BaseTemplate(one.template, self.name, labels)
        return Listing([*items.values()], listed.rejected)

    def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:  # type: ignore[override]
        items, rejected = [], []
        for name, machine in self.ask(lambda: dict(self.rack.machines)).items():
            told = read_metadata(machine.labels)
            if machine.labels and not (told.realm and told.template):
                rejected.append(Rejected(name, Text("it has no realm")))
            elif told.realm in self.realms and realm in {None, told.realm}:
                items.append(PlainInstance(name, machine))
        return Listing(items, rejected)

    def start_dynamic_instance(  # type: ignore[override]
        self, realm: str, template: str, session_id: str, order: Any
    ) -> BaseInstance:
        if realm not in self.realms:
            raise Misconfigured(f"plain/one does not serve {realm}")
        with self.turn(session_id):
            there = self.ask(lambda: self.rack.machines.get(session_id))
            if there and there.generation > order.generation:
                raise Cancelled("a newer one is there")
            if there and there.generation == order.generation:
                return PlainInstance(session_id, there)
            labels = self.ask(lambda: self.rack.templates.get(template))
            if labels is None:
                raise TemplateNotFound(template)
            own = {"chatsubo.template": template, "chatsubo.realm": realm, "chatsubo.session": session_id}
            filled = FakeTemplate(template, labels).labels_with(order.values)
            order.progress.stage(Text("Making the machine"))
            self.ask(
                lambda: self.rack.put(session_id, filled | own, order.generation, there.address if there else None)
            )
            try:
                return self.brought_up(session_id, template, order)
            except BaseException:
                self.rack.machines.pop(session_id)
                raise

    def brought_up(self, session_id: str, template: str, order: Any) -> BaseInstance:
        order.progress.stage(Text("Starting the machine"))
        machine = self.ask(lambda: self.rack.machines[session_id])
        if session_id in self.called_off:
            raise Cancelled("it was stopped")
        if template == "broken":
            raise NotReady("it does not answer")
        machine.running = True
        return PlainInstance(session_id, machine)

    def reset(  # type: ignore[override]
        self,
        realm: str,
        template: str,
        session: Any = None,
        *,
        progress: Any = None,  # noqa: ARG002
    ) -> BaseInstance:
        if session is not None:
            return self.start_dynamic_instance(realm, template, session.id, session)
        for one in self.list_instances(realm).items:
            if one.template == template and one.session is None:
                machine = self.ask(functools.partial(self.rack.machines.__getitem__, one.name))
                machine.disk, machine.running = "", True
                return PlainInstance(one.name, machine)
        raise InstanceNotFound(template)

    def stop_dynamic_instance(self, session_id: str) -> None:  # type: ignore[override]
        self.called_off.add(session_id)
        try:
            with self.turn(session_id):
                self.ask(lambda: self.rack.machines.pop(session_id, None))
        finally:
            self.called_off.discard(session_id)


class TestPlain(ProviderKit):
    abilities = frozenset({"dynamic", "classic"})
    waived: ClassVar[Mapping[str, str]] = {"secrets": "it has none"}

    @pytest.fixture
    def hypervisor(self) -> Rack:
        return Rack()

    @pytest.fixture
    def provider(self, hypervisor: Rack) -> BaseProvider:
        return PlainProvider(hypervisor)

    @pytest.fixture
    def other(self, hypervisor: Rack) -> BaseProvider:
        return PlainProvider(hypervisor)

    async def traces(self, session: str) -> list[str]:
        return [name for name in self.backend.machines if name == session]

    async def spoil(self, instance: BaseInstance) -> None:
        self.backend.machines[instance.name].disk = "spoiled"

    async def is_spoiled(self, instance: BaseInstance) -> bool:
        return bool(self.backend.machines[instance.name].disk)

    async def halt(self, instance: BaseInstance) -> None:
        self.backend.machines[instance.name].running = False

    async def plant_template(self, name: str, labels: Mapping[str, str]) -> None:
        self.backend.templates[name] = dict(labels)

    async def plant_machine(self, name: str, labels: Mapping[str, str]) -> None:
        self.backend.put(name, labels, 0, "10.66.0.7")
        self.backend.machines[name].running = True

    async def plant_unusable(self) -> str:
        await self.plant_machine("unusable", {"chatsubo.template": "unusable"})
        return "unusable"

    async def plant_broken(self) -> str:
        await self.plant_template("broken", LABELS)
        return "broken"

    async def away(self) -> None:
        self.backend.trouble = ConnectionRefusedError("nobody is there")

    async def refuse(self) -> None:
        self.backend.trouble = PermissionError("no")

    async def hang(self) -> None:
        self.backend.trouble = "hang"

    async def slow(self) -> None:
        self.backend.trouble = "slow"

    async def halve(self) -> None:
        self.backend.trouble = ValueError("it breaks off")

    async def garble(self) -> None:
        self.backend.trouble = ValueError("it is no answer")

    async def back(self) -> None:
        self.backend.trouble = ""
