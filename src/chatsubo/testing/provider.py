"""A provider for the fake hypervisor."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar, Self

from chatsubo.config import ProviderConfig
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import (
    BaseInstance,
    BaseProvider,
    BaseTemplate,
    Check,
    Endpoint,
    Finding,
    Listing,
    Progress,
    Readiness,
    StartOrder,
)
from chatsubo.providers.exc import Cancelled, InstanceNotFound, Misconfigured, ProviderError, TemplateNotFound, TimedOut
from chatsubo.providers.labels import parse_creds, parse_flags
from chatsubo.testing.hypervisor import Call, FakeHypervisor, FakeMachine, FakeTemplate, classic_place


class FakeConfig(ProviderConfig, frozen=True, kw_only=True):
    """The configuration of a fake.

    Attributes:
        flag_prefix: What its dynamic flags begin with.
        max_concurrent_starts: How many starts and resets may be under way at once.
        start_timeout: How long a start may take, in seconds.
    """

    flag_prefix: str = "FLAG"
    max_concurrent_starts: int = 4
    start_timeout: float = 600.0


class FakeProvider(BaseProvider):
    """A provider without a hypervisor, which does what the contract asks, and misbehaves when told to.

    Attributes:
        hypervisor: The state behind it; tell it what should go wrong.
    """

    kind = "fake"
    is_dynamic = True
    Config: ClassVar[type[ProviderConfig]] = FakeConfig

    def __init__(
        self,
        name: str = "fake",
        hypervisor: FakeHypervisor | None = None,
        realms: Sequence[str] = ("wz01",),
        vpn_providers: Any = (),
        *,
        flag_prefix: str = "FLAG",
        max_concurrent_starts: int = 4,
        start_timeout: float = 600.0,
    ) -> None:
        super().__init__(realms, vpn_providers)
        self.name = name
        self.hypervisor = hypervisor or FakeHypervisor()
        self.is_dynamic = self.hypervisor.is_dynamic
        self.flag_prefix = flag_prefix
        self.max_concurrent_starts = max_concurrent_starts
        self.start_timeout = start_timeout
        self.closed = False

    @classmethod
    def from_config(cls, name: str, raw_conf: FakeConfig, vpns: Any) -> Self:
        """Return a provider with a hypervisor of its own."""
        return cls(
            name,
            realms=raw_conf.realms,
            vpn_providers=vpns,
            flag_prefix=raw_conf.flag_prefix,
            max_concurrent_starts=raw_conf.max_concurrent_starts,
            start_timeout=raw_conf.start_timeout,
        )

    async def check(self) -> Check:
        """Say whether the hypervisor answers."""
        self._record("check")
        try:
            await self.hypervisor.step("check")
        except ProviderError as error:
            return Check(False, self.hypervisor.is_dynamic, (Finding(False, error.text),))
        return Check(True, self.hypervisor.is_dynamic, (Finding(True, Text(N_("The hypervisor answers."))),))

    async def aclose(self) -> None:
        """Be closed; the machines go on running."""
        self.closed = True

    async def list_templates(self) -> Listing[BaseTemplate]:
        """Return the hypervisor's templates, and what it was told to reject."""
        self._record("list_templates")
        await self.hypervisor.step("list_templates")
        return Listing([self._template(one) for one in self.hypervisor.templates.values()], self._rejected())

    async def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:
        """Return the machines there are, and what it was told to reject."""
        self._record("list_instances", realm=realm)
        await self.hypervisor.step("list_instances")
        realms = {one for one in self.realms if realm in {None, one}}
        machines = list(self.hypervisor.machines.values())
        return Listing([_instance(one) for one in machines if one.realm in realms], self._rejected())

    async def start_dynamic_instance(
        self, realm: str, template: str, session_id: str, order: StartOrder
    ) -> BaseInstance:
        """Make a machine in the steps ``start:create``, ``start:boot`` and ``start:ready``, or adopt one."""
        self._record("start", realm=realm, template=template, session_id=session_id, generation=order.generation)
        if not self.hypervisor.is_dynamic:
            raise Misconfigured("this fake starts no instances on demand")
        self._refuse_strange(realm)
        spec = self._spec(template)
        try:
            async with asyncio.timeout(order.seconds_left):
                return await self._start(realm, spec, session_id, order)
        except TimeoutError:
            raise TimedOut(f"the start of {session_id} took too long") from None

    async def reset(
        self, realm: str, template: str, session: StartOrder | None = None, *, progress: Progress | None = None
    ) -> BaseInstance:
        """Make the machine anew in its place, with its address, in the one step ``reset``."""
        session_id, generation = (session.id, session.generation) if session else (None, 0)
        self._record("reset", realm=realm, template=template, session_id=session_id, generation=generation)
        if progress is not None:
            progress.stage(Text(N_("Bringing the machine back to its initial state")))
        if session is not None:
            self._refuse_strange(realm)
        try:
            async with asyncio.timeout(session.seconds_left if session else None):
                await self.hypervisor.step("reset")
                if session and (found := await self._adopt(session.id, session)):
                    return found
        except TimeoutError:
            raise TimedOut(f"the reset of {session_id} took too long") from None
        if session is None and (
            realm not in self.realms or classic_place(template, realm) not in self.hypervisor.machines
        ):
            raise InstanceNotFound(f"there is no machine of {template} in {realm}")
        values = session.values if session else {}
        machine = self.hypervisor.make(self._spec(template), realm, session_id, generation, values)
        machine.ready = True
        machine.settled.open()
        return _instance(machine)

    async def stop_dynamic_instance(self, session_id: str) -> None:
        """Remove the machine; a start of it that is under way is called off."""
        self._record("stop", session_id=session_id)
        await self.hypervisor.step("stop")
        self.hypervisor.remove(session_id)

    async def _adopt(self, session_id: str, order: StartOrder) -> BaseInstance | None:
        """Return the machine of this very order if it is there, once its start has ended."""
        while machine := self.hypervisor.machines.get(session_id):
            if machine.generation > order.generation:
                raise Cancelled(f"generation {machine.generation} of {session_id} is there")
            if machine.generation < order.generation:
                return None
            await machine.settled.passed()
            if self.hypervisor.machines.get(session_id) is machine:
                return _instance(machine) if machine.ready else None
        return None

    async def _start(self, realm: str, spec: FakeTemplate, session_id: str, order: StartOrder) -> BaseInstance:
        if found := await self._adopt(session_id, order):
            return found
        order.progress.stage(Text(N_("Making the machine")))
        await self.hypervisor.step("start:create")
        if found := await self._adopt(session_id, order):
            return found
        machine = self.hypervisor.make(spec, realm, session_id, order.generation, order.values)
        try:
            order.progress.stage(Text(N_("Starting the machine")))
            await self._step("start:boot", machine)
            order.progress.log(f"{machine.id} boots\n")
            await self._step("start:ready", machine)
            machine.ready = True
        except BaseException:
            # The machine there may be another's by now.
            if self.hypervisor.machines.get(session_id) is machine and not self.hypervisor.leaves_half_made:
                self.hypervisor.remove(session_id)
            raise
        finally:
            machine.settled.open()
        return _instance(machine)

    async def _step(self, name: str, machine: FakeMachine) -> None:
        await self.hypervisor.step(name)
        if self.hypervisor.machines.get(str(machine.session)) is not machine:
            raise Cancelled(f"{machine.id} was removed while it started")

    def _refuse_strange(self, realm: str) -> None:
        if realm not in self.realms:
            raise Misconfigured(f"fake/{self.name} does not serve the realm {realm!r}")

    def _spec(self, template: str) -> FakeTemplate:
        try:
            return self.hypervisor.templates[template]
        except KeyError:
            raise TemplateNotFound(f"there is no template {template}") from None

    def _template(self, spec: FakeTemplate) -> BaseTemplate:
        return BaseTemplate(spec.name, self.name, spec.labels_with({}), dynamic=self.hypervisor.is_dynamic)

    def _rejected(self) -> tuple[Any, ...]:
        return tuple(self.hypervisor.malformed)

    def _record(self, method: str, **arguments: Any) -> None:
        self.hypervisor.calls.append(Call(method, arguments))


def _instance(machine: FakeMachine) -> BaseInstance:
    labels = machine.template.labels_with(machine.values)
    return BaseInstance(
        machine.id,
        f"{machine.template.name}-{machine.session or 'classic'}",
        machine.realm,
        machine.template.name,
        machine.address,
        flags=parse_flags(labels),
        creds=parse_creds(labels),
        session=machine.session,
        generation=machine.generation,
        running=machine.ready,
        readiness=Readiness.HEALTHY if machine.ready else Readiness.STARTED,
        endpoints=[Endpoint(name, machine.address, port) for name, port in machine.template.ports.items()],
    )
