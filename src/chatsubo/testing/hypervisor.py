"""A hypervisor in memory, with machines that live and die."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Template
from typing import Any

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Rejected
from chatsubo.providers.exc import AccessRefused, BackendConnectionException, NoCapacity
from chatsubo.testing.faults import Faults, Latch, Mishap

STEPS = (
    "check", "list_templates", "list_instances",
    "start:create", "start:boot", "start:ready", "reset", "stop",
)  # fmt: skip
"""The steps at which a fake can be made to misbehave."""

LABELS = {
    "chatsubo.template": "hello",
    "chatsubo.session": "$SESSION",
    "chatsubo.name": "Hello",
    "chatsubo.flags.user.value": "$FLAG0",
    "chatsubo.flags.user.points": "100",
    "chatsubo.flags.root.value": "$FLAG1",
    "chatsubo.flags.root.points": "250",
    "chatsubo.creds.ssh.username": "level0",
    "chatsubo.creds.ssh.password": "$RNG0",
}


@dataclass(frozen=True, slots=True)
class FakeTemplate:
    """What fake machines are made from.

    Attributes:
        name: Its name.
        labels: Its labels; ``$FLAG0``, ``$RNG0``, ``$SESSION`` and their like stand for the values of a start.
        ports: The ports that its machines listen on, by the name of the service.
    """

    name: str = "hello"
    labels: Mapping[str, str] = field(default_factory=lambda: dict(LABELS), repr=False)
    ports: Mapping[str, int] = field(default_factory=lambda: {"ssh": 22})

    def labels_with(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the labels of a machine that was given ``values``; a value that is missing is empty."""
        known = {name: values.get(name, "") for text in self.labels.values() for name in names_in(text)}
        return {key: Template(text).safe_substitute(known) for key, text in self.labels.items()}


def names_in(text: str) -> list[str]:
    """Return the names of the values that ``text`` asks for with ``$NAME`` or ``${NAME}``."""
    return Template(text).get_identifiers()


@dataclass(slots=True, eq=False)
class FakeMachine:
    """A machine on the fake hypervisor.

    Attributes:
        id: Its identifier; a machine that is made anew has another.
        template: What it was made from.
        realm: The realm it is in.
        address: Its address.
        session: The session that it runs for; ``None`` for a classic one.
        generation: Of the order that it was made for.
        values: What that order passed.
        ready: Whether its start came to its end; it is half made until then.
        disk: What players wrote on it; a reset forgets it.
        settled: Opens when its start has ended, well or badly.
    """

    id: str
    template: FakeTemplate
    realm: str
    address: str
    session: str | None = None
    generation: int = 0
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    ready: bool = False
    disk: dict[str, str] = field(default_factory=dict, repr=False)
    settled: Latch = field(default_factory=Latch, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a provider got.

    Attributes:
        method: Its name.
        arguments: Its arguments by name, without the values of a start.
    """

    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


class FakeHypervisor:
    """The state that any number of :class:`FakeProvider` share, as one Docker Engine is shared.

    Attributes:
        templates: The templates by name; change it at will.
        machines: The machines, by session, or by ``classic:TEMPLATE`` and realm.
        malformed: What its listings reject.
        faults: What is to go wrong.
        calls: The calls that its providers got, the oldest first.
        leaves_half_made: Whether a start that fails leaves its half-made machine behind, which no good plugin does.
        capacity: How many machines there is room for.
        is_dynamic: What a check answers.
    """

    def __init__(self, templates: Sequence[FakeTemplate] = (FakeTemplate(),), capacity: int = 60_000) -> None:
        self.templates = {template.name: template for template in templates}
        self.machines: dict[str, FakeMachine] = {}
        self.malformed: list[Rejected] = []
        self.faults = Faults()
        self.calls: list[Call] = []
        self.leaves_half_made = False
        self.capacity = capacity
        self.is_dynamic = True
        self._absence: Mishap | None = None
        self._numbers = itertools.count(1)
        self._addresses = itertools.count(1)

    def away(self) -> None:
        """Be out of reach: every step fails until :meth:`back`."""
        self._absence = BackendConnectionException("fake", "connection refused")

    def refuse(self) -> None:
        """Turn down our credentials: every step fails until :meth:`back`."""
        self._absence = AccessRefused("the token is not valid")

    def back(self) -> None:
        """Answer again."""
        self._absence = None

    def fail(self, at: str, error: Mishap = BackendConnectionException, times: int | None = None) -> None:
        """Raise ``error`` at a step; see :meth:`Faults.fail`."""
        self.faults.fail(_step(at), error, times)

    def slow(self, at: str, wait: float | asyncio.Event | Latch, times: int | None = None) -> None:
        """Make a step slow; see :meth:`Faults.slow`."""
        self.faults.slow(_step(at), wait, times)

    def hold(self, at: str, times: int | None = None) -> Latch:
        """Make a step wait at a latch, and return that; see :meth:`Faults.hold`."""
        return self.faults.hold(_step(at), times)

    def hang(self, at: str, times: int | None = None) -> None:
        """Make a step never end; see :meth:`Faults.hang`."""
        self.faults.hang(_step(at), times)

    def malform(self, name: str = "broken", reason: Text | None = None) -> None:
        """Put something on the hypervisor that its listings reject."""
        self.malformed.append(Rejected(name, reason or Text(N_("expected true or false"))))

    def plant(
        self,
        template: str,
        realm: str,
        session: str | None = None,
        *,
        generation: int = 1,
        values: Mapping[str, str] | None = None,
        ready: bool = True,
    ) -> FakeMachine:
        """Put a machine there as if another life of the platform, or somebody else, had made it.

        Args:
            template: The name of a template of this hypervisor.
            realm: The realm to put it in.
            session: The session it is for; ``None`` for a classic machine.
            generation: Of the order it was made for.
            values: What that order passed.
            ready: ``False`` for a machine whose start was cut off.
        """
        generation = generation if session else 0
        machine = self.make(self.templates[template], realm, session, generation, values or {})
        machine.ready = ready
        machine.settled.open()
        return machine

    def make(
        self,
        template: FakeTemplate,
        realm: str,
        session: str | None,
        generation: int,
        values: Mapping[str, str],
    ) -> FakeMachine:
        """Make a machine, half made at first; one that is there already gives its place and its address to it.

        Raises:
            NoCapacity: There is no room for it.
        """
        place = session or classic_place(template.name, realm)
        before = self.machines.get(place)
        if before is None and len(self.machines) >= self.capacity:
            raise NoCapacity(f"there is room for {self.capacity} machines")
        address = before.address if before else _address(next(self._addresses))
        number = next(self._numbers)
        machine = FakeMachine(f"fake-{number}", template, realm, address, session, generation, dict(values))
        self.machines[place] = machine
        return machine

    def remove(self, session: str) -> None:
        """Remove the session's machine, if there is one."""
        self.machines.pop(session, None)

    def called(self, method: str) -> list[Call]:
        """Return the calls of one method, the oldest first."""
        return [call for call in self.calls if call.method == method]

    async def step(self, name: str) -> None:
        """Take a step, with all that is to go wrong with it.

        Raises:
            ProviderError: What it was told to raise; because it is away, or refuses.
        """
        self._be_there()
        await self.faults.meet(name)
        self._be_there()

    def _be_there(self) -> None:
        if self._absence is not None:
            raise self._absence


def classic_place(template: str, realm: str) -> str:
    """Return the key of a classic machine among the machines."""
    return f"classic:{template}@{realm}"


def _address(number: int) -> str:
    return f"10.66.{number // 250 % 250}.{number % 250 + 1}"


def _step(at: str) -> str:
    if at not in STEPS:
        raise ValueError(f"there is no step {at!r}; there are {', '.join(STEPS)}")
    return at
