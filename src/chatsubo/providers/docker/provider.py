"""The Docker Engine as a provider."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, ClassVar, Self

from chatsubo.config import ProviderConfig
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import (
    BaseInstance,
    BaseProvider,
    BaseTemplate,
    Check,
    Finding,
    Listing,
    NoProgress,
    Progress,
    Rejected,
    StartOrder,
)
from chatsubo.providers.docker import checks
from chatsubo.providers.docker.classic import Classic
from chatsubo.providers.docker.client import Engine
from chatsubo.providers.docker.config import DockerConfig
from chatsubo.providers.docker.containers import Containers, Raw
from chatsubo.providers.docker.images import Images
from chatsubo.providers.docker.instance import DockerInstance, name_of
from chatsubo.providers.docker.labels import PROVIDER
from chatsubo.providers.docker.launcher import Launcher
from chatsubo.providers.docker.network import Networks
from chatsubo.providers.docker.progress import RedactedProgress
from chatsubo.providers.docker.template import DockerTemplate
from chatsubo.providers.docker.templates import Templates
from chatsubo.providers.exc import MalformedMetadataException, Misconfigured, ProviderError
from chatsubo.providers.turns import Turns


class DockerProvider(BaseProvider):
    """Boxes as containers.

    Args:
        name: The provider's unique name.
        config: Its configuration.
        vpns: The gates of its realms.
    """

    kind: ClassVar[str] = "docker"
    Config: ClassVar[type[ProviderConfig]] = DockerConfig

    def __init__(self, name: str, config: DockerConfig, vpns: Any = ()) -> None:
        super().__init__(config.realms, vpns, self.kind)
        self.name = name
        self.config = config
        self.is_dynamic = config.dockerfiles_root is not None
        self.flag_prefix = config.flag_prefix
        self.max_concurrent_starts = config.max_concurrent_starts
        self.start_timeout = config.start_timeout
        self._engine = Engine(f"docker/{name}", config.api, limit=config.max_requests, timeout=config.request_timeout)
        self._templates = Templates(config.dockerfiles_root, name) if config.dockerfiles_root else None
        self._containers = Containers(self._engine, name)
        self._classic = Classic(name, config, config.realms, self._containers)
        self._networks = Networks(self._engine, name, config)
        self._images = (
            Images(self._engine, name, config.build_timeout, config.max_concurrent_builds) if self._templates else None
        )
        self._launcher = (
            Launcher(name, config, self._containers, self._images, self._networks) if self._images else None
        )
        self._turns = Turns(f"docker/{name}")

    @classmethod
    def from_config(cls, name: str, raw_conf: DockerConfig, vpns: Any) -> Self:
        """Return the provider that the configuration describes. No input or output."""
        return cls(name, raw_conf, vpns)

    @property
    def requests_sent(self) -> int:
        """How many requests were sent to the engine so far."""
        return self._engine.sent

    async def check(self) -> Check:
        """Ask the engine whether it can be reached, and say what is not as it should be."""
        findings: list[Finding] = list(checks.transport(self.config))
        try:
            version = await self._engine.ask(lambda docker: docker.version())
            info = await self._engine.ask(lambda docker: docker.system.info())
        except ProviderError as error:
            return Check(
                reachable=False, is_dynamic=self.is_dynamic, findings=(*findings, checks.error(error, self.config.api))
            )
        findings += checks.engine(version, info)
        if self._templates is None:
            text = N_("No dockerfiles_root is configured: only classic containers are served.")
            return Check(True, False, (*findings, Finding(ok=True, text=Text(text))))
        usable = True
        try:
            listing = await asyncio.to_thread(self._templates.listing)
            findings += [*checks.templates(listing), *checks.allowed(listing, self.config)]
            found = await self._networks.find(self.config.docker_network)
            findings += [*checks.network(self._networks.boxes, found), *checks.isolation(info, self.config)]
            findings += checks.routing(version, found)
            usable = found is not None or self.config.subnet is not None
            if self.config.allow.internet:
                online = await self._networks.find(self.config.internet.network)
                findings += checks.network(self._networks.online, online)
        except ProviderError as error:
            findings.append(checks.error(error, self.config.api))
            usable = False
        return Check(reachable=True, is_dynamic=usable, findings=tuple(findings))

    async def aclose(self) -> None:
        """Close the connections to the engine; boxes go on running."""
        await self._engine.close()

    async def list_templates(self) -> Listing[BaseTemplate]:
        """Return the templates below ``dockerfiles_root``, and the classic containers."""
        dynamic: Listing[DockerTemplate] = Listing(())
        if self._templates is not None:
            dynamic = await asyncio.to_thread(self._templates.listing)
            for template in dynamic.items:
                asked = checks.refused(template, self.config)
                template.warnings = (*(one for one in template.warnings if one not in asked), *asked)
        names = [template.name for template in dynamic.items]
        classic = self._classic.templates(await self._containers.all(), names)
        return Listing([*dynamic.items, *classic.items], [*dynamic.rejected, *classic.rejected])

    async def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:
        """Return the containers of sessions that this provider made, and the classic ones."""
        listed = await self._containers.all()
        items: list[BaseInstance] = []
        rejected: list[Rejected] = []
        for raw in listed:
            if (raw.get("Labels") or {}).get(PROVIDER) == self.name:
                try:
                    items.append(self._instance(raw))
                except MalformedMetadataException as error:
                    reason = Text(N_("its labels cannot be read: {error}"), {"error": error.detail})
                    rejected.append(Rejected(name_of(raw), reason))
        classic = self._classic.instances(listed)
        items += [*classic.items, *await self._half_made(items)]
        return Listing([one for one in items if realm in (None, one.realm)], [*rejected, *classic.rejected])

    async def _half_made(self, instances: list[BaseInstance]) -> list[BaseInstance]:
        """Return the sessions of which only an image is left, so that reconciliation finds and removes it."""
        if self._images is None:
            return []
        known = {one.session for one in instances} | self._turns.sessions
        orphans = await self._images.orphans()
        return [
            DockerInstance(image, f"image of {session}", self.realms[0], "", None, session=session, running=False)
            for session, image in sorted(orphans.items())
            if session not in known
        ]

    async def start_dynamic_instance(
        self, realm: str, template: str, session_id: str, order: StartOrder
    ) -> BaseInstance:
        """Start a container for a session, wait until it is ready, and return it."""
        return await self._in_turn(
            order,
            lambda told: self._launch(realm, template, told, keep=False),
            lambda: self._dynamic().remove(session_id),
        )

    async def reset(
        self, realm: str, template: str, session: StartOrder | None = None, *, progress: Progress | None = None
    ) -> BaseInstance:
        """Make a container anew: a session's with its values, credentials and address, or a classic one."""
        if session is None:
            return await self._classic.reset(realm, template, progress or NoProgress())
        return await self._in_turn(session, lambda told: self._launch(realm, template, told, keep=True))

    async def stop_dynamic_instance(self, session_id: str) -> None:
        """Remove a session's container and its own image. A start that is under way in this process is called off."""
        self._turns.call_off(session_id)
        async with self._turns.of(session_id):
            await self._dynamic().remove(session_id)

    async def _launch(self, realm: str, template: str, order: StartOrder, *, keep: bool) -> BaseInstance:
        if realm not in self.realms:
            raise Misconfigured(f"{self.kind}/{self.name} does not serve the realm {realm!r}")
        launcher = self._dynamic()
        assert self._templates is not None
        found = await asyncio.to_thread(self._templates.find, template)
        raw, readiness = await launcher.launch(realm, found, order, keep=keep)
        instance = self._instance(raw)
        instance.readiness = readiness
        return instance

    async def _in_turn(
        self,
        order: StartOrder,
        work: Callable[[StartOrder], Awaitable[BaseInstance]],
        undo: Callable[[], Awaitable[None]] | None = None,
    ) -> BaseInstance:
        """Do the work in the session's turn, with a progress that tells none of its values."""
        progress = RedactedProgress(order.progress, order.values)
        try:
            return await self._turns.take(order, lambda: work(replace(order, progress=progress)), undo)
        finally:
            progress.flush()

    def _dynamic(self) -> Launcher:
        if self._launcher is None:
            raise Misconfigured(f"{self.kind}/{self.name} has no dockerfiles_root")
        return self._launcher

    def _instance(self, raw: Raw) -> DockerInstance:
        return DockerInstance.from_listing(
            raw, realm="", network=self.config.docker_network, ports_host=self.config.ports_host
        )
