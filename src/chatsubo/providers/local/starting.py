"""How an instance comes to life: alone, in steps, leaving nothing when one of them fails."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chatsubo.domain.text import N_, Text
from chatsubo.domain.values import redact
from chatsubo.providers.base import StartOrder
from chatsubo.providers.exc import BuildFailed, Cancelled, NotReady, TimedOut
from chatsubo.providers.local.addresses import Addresses, Lease
from chatsubo.providers.local.config import LocalConfig
from chatsubo.providers.local.placeholders import port_value
from chatsubo.providers.local.readiness import answers
from chatsubo.providers.local.records import Record, Records
from chatsubo.providers.local.runs import Budget, Runs
from chatsubo.providers.local.sandbox import Sandbox
from chatsubo.providers.local.template import LocalTemplate
from chatsubo.providers.local.threads import Threads

_TURN = 0.02
"""Seconds between two looks whether another start of the same session has ended."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be brought up.

    Attributes:
        realm: The realm it is for.
        template: What it is made from.
        sandbox: What it runs in.
        order: The session, its values, the deadline.
    """

    realm: str
    template: LocalTemplate
    sandbox: Sandbox
    order: StartOrder


@dataclass(frozen=True, slots=True)
class Starter:
    """Brings instances up.

    Attributes:
        config: The provider's configuration.
        records, runs: What there is.
        addresses: What to give out.
        threads: Where to do what blocks.
    """

    config: LocalConfig
    records: Records
    runs: Runs
    addresses: Addresses
    threads: Threads

    async def bring_up(self, plan: Plan) -> Record:
        """Make the session's instance anew, or adopt it when it is of this generation and lives.

        Raises:
            Cancelled: A newer generation is there, or the session was stopped meanwhile.
            NotReady, NoCapacity, BuildFailed, TimedOut: As they say.
            OSError: As the operating system says.
        """
        order = plan.order
        try:
            async with asyncio.timeout(order.seconds_left), self._alone(order.id):
                found = await self.threads.run(self._adopted, order)
                return found or await self._make(plan)
        except TimeoutError:
            raise TimedOut(f"the start of {order.id} took too long") from None

    def remove(self, session: str, run: str | None = None) -> None:
        """Remove the instance of ``session``, or only one ``run`` of it. Blocks.

        Raises:
            TimedOut: Processes do not end.
            OSError: As the operating system says.
        """
        self.records.forget(session, run)
        self.runs.end(session, lambda name: run in {None, name})

    @asynccontextmanager
    async def _alone(self, session: str) -> AsyncIterator[None]:
        while True:
            with self.records.only_one(session) as held:
                if held:
                    yield
                    return
            await asyncio.sleep(_TURN)

    def _adopted(self, order: StartOrder) -> Record | None:
        record = self.records.get(order.id)
        if record is None or record.generation < order.generation:
            return None
        if record.generation > order.generation:
            raise Cancelled(f"generation {record.generation} of {order.id} is there")
        return record if record.ready and self.runs.alive(record) else None

    async def _make(self, plan: Plan) -> Record:
        run = uuid.uuid4().hex
        progress = plan.order.progress
        try:
            progress.stage(Text(N_("Preparing the machine")))
            record = await self.threads.run(self._claim, plan, run)
            values = _values(plan.order.values, record)
            await self.threads.run(self._build, plan, record, values)
            progress.stage(Text(N_("Starting the machine")))
            await self.threads.run(self._start, plan, record, values)
            await self._await_ports(plan, record)
            return await self.threads.run(self.records.settle, record)
        except BaseException:
            await self.threads.run(self.remove, plan.order.id, run)
            raise

    def _claim(self, plan: Plan, run: str) -> Record:
        spec, order = plan.template.spec, plan.order

        def make(before: Record | None, held: list[Lease]) -> Record:
            same = before is not None and set(before.ports) == set(spec.ports)
            lease = before.lease if before and same else self.addresses.lease(spec.ports, held)
            return Record(
                provider=self.records.provider,
                session=order.id,
                generation=order.generation,
                realm=plan.realm,
                template=plan.template.name,
                slot=lease.slot,
                address=lease.address,
                ports=dict(lease.ports),
                labels=plan.template.labels_with({**order.values, "SESSION": order.id}),
                run=run,
                awaited=bool(plan.template.awaited),
            )

        return self.records.claim(make, order.id)

    def _build(self, plan: Plan, record: Record, values: Mapping[str, str]) -> None:
        self.runs.end(record.session, lambda name: name != record.run)
        self.runs.build(record, plan.template, values, plan.sandbox)

    def _start(self, plan: Plan, record: Record, values: Mapping[str, str]) -> None:
        try:
            self.runs.start(record, plan.template, values, plan.sandbox, self._budget(plan))
        except (FileNotFoundError, BuildFailed):
            self._tell(plan, record)
            if not self.records.holds(record):
                raise _stopped(record) from None
            raise

    async def _await_ports(self, plan: Plan, record: Record) -> None:
        limit = self.config.ready_timeout
        try:
            async with asyncio.timeout(limit):
                for name in plan.template.awaited:
                    port = record.ports[name]
                    plan.order.progress.stage(Text(N_("Waiting for port {port}"), {"port": port}))
                    await answers(record.address, port, lambda: self._look(record))
        except TimeoutError:
            raise NotReady(f"{plan.template.name}: nothing listens at {record.address} after {limit:g} s") from None
        finally:
            self._tell(plan, record)

    def _look(self, record: Record) -> None:
        """Raise what there is to raise when ``record`` will never be ready."""
        if not self.records.holds(record):
            raise _stopped(record)
        if not self.runs.alive(record):
            raise NotReady(f"{record.template}: the command ended before it was ready; see its output")

    def _tell(self, plan: Plan, record: Record) -> None:
        """Hand over what the command has written, without the secrets that it was given."""
        if output := self.runs.output(record):
            plan.order.progress.log(redact(output, plan.order.values))

    def _budget(self, plan: Plan) -> Budget:
        limits, asked, own = self.config.limits, plan.order.limits, plan.template.spec.limits
        return Budget(
            {
                "AS": asked.memory or own.memory or limits.memory,
                "NPROC": asked.processes or own.processes or limits.processes,
                "FSIZE": limits.file_size,
                "NOFILE": limits.open_files,
                "CORE": 0,
            },
            limits.nice,
        )


def _values(values: Mapping[str, str], record: Record) -> dict[str, str]:
    """Return all that a template's texts may ask for."""
    ports = {port_value(name): str(port) for name, port in record.ports.items()}
    return {**values, "SESSION": record.session, "ADDRESS": record.address, **ports}


def _stopped(record: Record) -> Cancelled:
    return Cancelled(f"{record.session} was stopped while it started")
