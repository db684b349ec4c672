"""Proxmox VE as a provider."""

from functools import partial
from typing import Any, ClassVar, Self

from chatsubo.config import ProviderConfig
from chatsubo.providers.base import (
    BaseInstance,
    BaseProvider,
    BaseTemplate,
    Check,
    Finding,
    Listing,
    Progress,
    StartOrder,
)
from chatsubo.providers.exc import Misconfigured, ProviderError
from chatsubo.providers.pve import checks
from chatsubo.providers.pve.classic import Classic, reset_deadline
from chatsubo.providers.pve.client import Client
from chatsubo.providers.pve.cluster import Cluster
from chatsubo.providers.pve.config import PveConfig
from chatsubo.providers.pve.launcher import Launcher
from chatsubo.providers.pve.template import PveTemplate
from chatsubo.providers.turns import Turns


class PveProvider(BaseProvider):
    """Boxes as virtual machines and containers of Proxmox VE.

    Args:
        name: The provider's unique name.
        config: Its configuration.
        vpns: The gates of its realms.
    """

    kind: ClassVar[str] = "pve"
    Config: ClassVar[type[ProviderConfig]] = PveConfig

    def __init__(self, name: str, config: PveConfig, vpns: Any = ()) -> None:
        super().__init__(config.realms, vpns, self.kind)
        self.name = name
        self.config = config
        self.is_dynamic = config.dynamic is not None
        self.flag_prefix = config.flag_prefix
        self.max_concurrent_starts = config.max_concurrent_starts
        self.start_timeout = config.start_timeout
        self._client = Client(f"pve/{name}", config)
        cluster = Cluster.of(self._client, name, config)
        self._cluster = cluster
        self._classic = Classic(cluster)
        self._launcher = Launcher(cluster, config.dynamic) if config.dynamic else None
        self._turns = Turns(f"pve/{name}")

    @classmethod
    def from_config(cls, name: str, raw_conf: PveConfig, vpns: Any) -> Self:
        """Return the provider that the configuration describes. No input or output."""
        return cls(name, raw_conf, vpns)

    @property
    def requests_sent(self) -> int:
        """How many requests were sent to Proxmox so far."""
        return self._client.sent

    async def check(self) -> Check:
        """Ask Proxmox whether it can be reached, which rights the token has, and what is not as it should be."""
        findings: list[Finding] = list(checks.transport(self.config))
        try:
            answer = await self._client.get_object("/version")
            findings += checks.version(answer)
            findings += await checks.rights(self._client, self.config, checks.major(answer))
            findings += await checks.nodes(self._client, self.config)
            findings += checks.guests(self._cluster.sort(await self._cluster.survey.look()))
            if self.config.dynamic is not None:
                findings += await checks.firewall(self._client, self.config.dynamic)
        except ProviderError as error:
            findings.append(checks.error(error))
            return Check(reachable=False, is_dynamic=self.is_dynamic, findings=tuple(findings))
        return Check(reachable=True, is_dynamic=self.is_dynamic, findings=tuple(findings))

    async def aclose(self) -> None:
        """Close the connections; guests go on running."""
        await self._cluster.survey.aclose()
        await self._client.aclose()

    def forget(self) -> None:
        """Read all Notes anew at the next listing."""
        self._cluster.survey.forget()

    async def list_templates(self) -> Listing[BaseTemplate]:
        """Return the classic machines, and what clones can be made from."""
        found = self._cluster.sort(await self._cluster.survey.look_for_two())
        items: dict[str, PveTemplate] = dict(found.templates)
        for one in found.classic:
            name = one.instance.template
            if name not in items:
                items[name] = PveTemplate(name, self.name, one.seen.labels, guest=one.seen.guest)
        return Listing([items[name] for name in sorted(items)], found.rejected)

    async def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:
        """Return the classic machines, and the clones that this provider made."""
        found = self._cluster.sort(await self._cluster.survey.second_look())
        instances: list[BaseInstance] = [one.instance for one in found.classic]
        instances += [instance for _, instance in found.clones]
        return Listing([one for one in instances if realm in (None, one.realm)], found.rejected)

    async def reset(
        self, realm: str, template: str, session: StartOrder | None = None, *, progress: Progress | None = None
    ) -> BaseInstance:
        """Roll a classic machine back to its snapshot, or make a session's clone anew."""
        if session is None:
            return await self._classic.reset(realm, template, reset_deadline(self.start_timeout), progress)
        return await self._turns.take(session, partial(self._dynamic().launch, realm, template, session))

    async def start_dynamic_instance(
        self, realm: str, template: str, session_id: str, order: StartOrder
    ) -> BaseInstance:
        """Make a clone for a session, wait until it is ready, and return it."""
        launcher = self._dynamic()
        work = partial(launcher.launch, realm, template, order)
        return await self._turns.take(order, work, partial(launcher.remove, session_id))

    async def stop_dynamic_instance(self, session_id: str) -> None:
        """Remove a session's clones. A start that is under way in this process is called off."""
        launcher = self._dynamic()
        self._turns.call_off(session_id)
        async with self._turns.of(session_id):
            await launcher.remove(session_id)

    def _dynamic(self) -> Launcher:
        if self._launcher is None:
            raise Misconfigured(f"pve/{self.name} has no section dynamic")
        return self._launcher
