"""The provider: what the platform calls."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar
from weakref import WeakValueDictionary

from chatsubo.config import ByteSize, Name, ProviderConfig
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import (
    BaseProvider,
    BaseTemplate,
    Check,
    Finding,
    Limits,
    Listing,
    Progress,
    Readiness,
    Rejected,
    StartOrder,
)
from chatsubo.providers.exc import (
    Cancelled,
    InstanceNotFound,
    Locked,
    MalformedMetadataException,
    Misconfigured,
    ProviderError,
    TemplateNotFound,
    TimedOut,
)
from chatsubo.providers.labels import read_metadata

from .hypervisor import Podman
from .instance import GENERATION, PodmanInstance
from .template import PodmanTemplate

T = TypeVar("T")


class PodmanConfig(ProviderConfig, frozen=True, kw_only=True):
    """What stands below ``providers: podman: NAME:`` in the configuration.

    Attributes:
        socket: The socket of ``podman system service``.
        network: The network of Podman that players' machines are put on; the realm's gate leads to it.
        memory: What each of these machines may use.
        processes: How many processes may run in each.
    """

    socket: Path = Path("/run/podman/podman.sock")
    network: Name = "podman"
    memory: ByteSize = ByteSize.from_text("256m")
    processes: int = 256


class PodmanProvider(BaseProvider):
    """Starts containers for sessions, and resets those that players share."""

    kind = "podman"
    is_dynamic = True
    Config: ClassVar[type[ProviderConfig]] = PodmanConfig

    def __init__(self, name: str, config: PodmanConfig, vpns: Any = ()) -> None:
        super().__init__(config.realms, vpns)
        self.name = name
        self._config = config
        self._podman = Podman(config.socket, config.network)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._called_off: set[str] = set()

    @classmethod
    def from_config(cls, name: str, raw_conf: PodmanConfig, vpns: Any) -> Self:
        """Return the provider. Nothing is connected to here."""
        return cls(name, raw_conf, vpns)

    async def aclose(self) -> None:
        """Free the connections."""
        await self._podman.close()

    @property
    def requests_sent(self) -> int:
        """How many requests were sent so far."""
        return self._podman.requests

    async def check(self) -> Check:
        """Say whether Podman answers and has the network, and what to do if not."""
        try:
            answers = Text("Podman {version} answers.", {"version": await self._podman.version()})
            there = await self._podman.has_network()
        except ProviderError as error:
            remedy = Text("Run `systemctl start podman.socket`, or set `socket` to where we may open it.")
            return Check(reachable=False, is_dynamic=True, findings=[Finding(False, Text(error.detail), remedy)])
        network = Text("Machines are put on the network {name}.", {"name": self._config.network})
        remedy = Text("Make it: podman network create {name}", {"name": self._config.network})
        findings = [Finding(True, answers), Finding(there, network, None if there else remedy)]
        return Check(reachable=True, is_dynamic=True, findings=findings)

    async def list_templates(self) -> Listing[BaseTemplate]:
        """Return the images that say they are templates, then the shared containers, each its own template."""
        items: dict[str, BaseTemplate] = {}
        rejected = []
        for image in await self._podman.images():
            if read_metadata(image.labels or {}).dynamic:
                template = PodmanTemplate(self.name, image)
                if items.setdefault(template.name, template) is not template:
                    reason = Text("another image is the template {name} too", {"name": template.name})
                    rejected.append(Rejected((image.names or [image.id])[0], reason))
        machines = await self.list_instances()
        for one in machines.items:
            if one.session is None:
                items.setdefault(one.template, BaseTemplate(one.template, self.name, one.labels))
        return Listing(list(items.values()), [*rejected, *machines.rejected])

    async def list_instances(self, realm: str | None = None) -> Listing[PodmanInstance]:
        """Return the containers that carry our labels. Those that cannot be used are told with their reason."""
        items, rejected = [], []
        for machine in await self._podman.machines():
            if any(key.lower().startswith("chatsubo.") for key in machine.labels or {}):
                try:
                    items.append(PodmanInstance(machine))
                except MalformedMetadataException as error:
                    rejected.append(Rejected(machine.name, Text("its labels: {reason}", {"reason": error.detail})))
        realms = {one for one in self.realms if realm in (None, one)}  # of others we know nothing
        return Listing([one for one in items if one.realm in realms], rejected)

    async def start_dynamic_instance(
        self, realm: str, template: str, session_id: str, order: StartOrder
    ) -> PodmanInstance:
        """Make a container for the session, or adopt the one that is there; leave nothing behind on failure."""
        if realm not in self.realms:
            raise Misconfigured(f"{self.kind}/{self.name} does not serve the realm {realm}")
        try:
            async with asyncio.timeout(order.seconds_left), self._turn(session_id):
                return await self._made(realm, template, order)
        except TimeoutError:
            raise TimedOut(f"session {session_id} was not ready by its deadline") from None

    async def stop_dynamic_instance(self, session_id: str) -> None:
        """Remove the session's container; a start of it that is under way gives up at its next step."""
        self._called_off.add(session_id)
        try:
            async with self._turn(session_id):
                await _whole(self._podman.remove(_name(session_id)))
        finally:
            self._called_off.discard(session_id)

    async def reset(
        self, realm: str, template: str, session: StartOrder | None = None, *, progress: Progress | None = None
    ) -> PodmanInstance:
        """Make a container anew: a session's, or a shared one."""
        if session is not None:
            return await self.start_dynamic_instance(realm, template, session.id, session)
        async with self._turn(f"{realm}/{template}"):
            for one in (await self.list_instances(realm)).items:
                if one.template == template and one.session is None:
                    if progress is not None:
                        progress.stage(Text(N_("Bringing the machine back to its initial state")))
                    return await self._ready(await _whole(self._podman.rollback(one.name)))
        raise InstanceNotFound(f"there is no shared container of {template} in {realm}")

    async def _made(self, realm: str, template: str, order: StartOrder) -> PodmanInstance:
        name = _name(order.id)
        there = next((one for one in (await self.list_instances()).items if one.session == order.id), None)
        if there and there.generation > order.generation:
            raise Cancelled(f"generation {there.generation} of {order.id} is there")
        source = (await self._templates()).get(template)
        if source is None:
            raise TemplateNotFound(f"there is no template {template}")
        try:
            if not (there and there.generation == order.generation and there.running):
                await self._bring_up(name, source, realm, order, there.address if there else None)
            order.progress.stage(Text("Waiting until it is ready"))
            return await self._ready(name)
        except Locked:
            raise  # another platform makes the session's container just now: it is not ours to remove
        except BaseException:
            await _whole(self._podman.remove(name))
            raise

    async def _bring_up(
        self, name: str, source: PodmanTemplate, realm: str, order: StartOrder, address: str | None
    ) -> None:
        labels = {
            **source.filled(order.values),
            "chatsubo.template": source.name,
            "chatsubo.realm": realm,
            "chatsubo.session": order.id,
            GENERATION: str(order.generation),
        }
        most = order.limits
        limits = Limits(most.memory or int(self._config.memory), most.cpus, most.processes or self._config.processes)
        order.progress.stage(Text("Making the machine"))
        if address:
            await _whole(self._podman.remove(name))  # of an older generation, or half made
        values = source.asked(order.values)
        await _whole(self._podman.create(name, source.image, labels, values, limits=limits, address=address))
        order.progress.stage(Text("Starting the machine"))
        await asyncio.sleep(0)
        if order.id in self._called_off:
            raise Cancelled(f"session {order.id} was stopped")
        await _whole(self._podman.start(name))

    async def _ready(self, name: str) -> PodmanInstance:
        healthy = await self._podman.until_ready(name)
        machine = await self._podman.machine(name)
        return PodmanInstance(machine, Readiness.HEALTHY if healthy else Readiness.STARTED)

    async def _templates(self) -> dict[str, PodmanTemplate]:
        return {one.name: one for one in (await self.list_templates()).items if isinstance(one, PodmanTemplate)}

    def _turn(self, session: str) -> asyncio.Lock:
        return self._turns.setdefault(session, asyncio.Lock())


async def _whole(change: Awaitable[T]) -> T:
    """Await a change to its end, also when the caller is cancelled: Podman would go on with it unseen."""
    task = asyncio.ensure_future(change)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _name(session: str) -> str:
    """Return the name of a session's container: it follows from the session, so that it is found again."""
    return f"chatsubo-{session}"
