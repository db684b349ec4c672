"""The local provider: starts, resets, stops and lists instances on this very machine."""

from pathlib import Path
from typing import Any, ClassVar, Self

from chatsubo.config import ProviderConfig
from chatsubo.providers.base import BaseInstance, BaseProvider, BaseTemplate, Check, Listing, Progress, StartOrder
from chatsubo.providers.exc import InstanceNotFound, Misconfigured
from chatsubo.providers.local.addresses import Addresses
from chatsubo.providers.local.checking import inspect
from chatsubo.providers.local.config import LocalConfig
from chatsubo.providers.local.failures import told_plainly
from chatsubo.providers.local.instance import LocalInstance
from chatsubo.providers.local.records import Records
from chatsubo.providers.local.runs import Runs
from chatsubo.providers.local.sandbox import Sandbox, find_sandbox
from chatsubo.providers.local.starting import Plan, Starter
from chatsubo.providers.local.templates import Templates
from chatsubo.providers.local.threads import Threads


class LocalProvider(BaseProvider):
    """Runs each instance as a process tree of this machine, in a sandbox, a folder and at an address of its own.

    What runs outlives the platform, also one that is killed: the next one finds it through its record.
    """

    kind = "local"
    is_dynamic = True
    Config: ClassVar[type[ProviderConfig]] = LocalConfig
    allowed_beyond_demo = False

    def __init__(self, name: str, config: LocalConfig, vpns: Any = ()) -> None:
        super().__init__(config.realms, vpns)
        self.name = name
        self.config = config
        self.flag_prefix = config.flag_prefix
        self.max_concurrent_starts = config.max_concurrent_starts
        self.start_timeout = config.start_timeout
        self._templates = Templates(config.templates_root, name)
        self._records = Records(config.data, name)
        self._runs = Runs(config.data)
        self._addresses = Addresses(config.address_range)
        self._threads = Threads()
        self._starter = Starter(config, self._records, self._runs, self._addresses, self._threads)
        self._sandbox: Sandbox | None = None

    @classmethod
    def from_config(cls, name: str, raw_conf: LocalConfig, vpns: Any) -> Self:
        """Return the provider that the configuration describes."""
        return cls(name, raw_conf, vpns)

    async def check(self) -> Check:
        """Say whether the folders, the sandbox and the addresses can be used, and how far they are to be trusted."""
        return await self._threads.run(
            inspect, self.config.templates_root, self._open, self._usable_sandbox, self._addresses
        )

    async def aclose(self) -> None:
        """Let the threads end; the instances go on."""
        self._threads.close()

    async def list_templates(self) -> Listing[BaseTemplate]:
        """Return the templates below ``templates_root``.

        Raises:
            AccessRefused, Misconfigured: The folder cannot be read.
        """
        with told_plainly():
            return await self._threads.run(self._templates.all)

    async def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:
        """Return the instances there are, and remove what a platform that was killed has left without a record.

        Raises:
            AccessRefused, Misconfigured: The folder cannot be read.
        """
        with told_plainly():
            return await self._threads.run(self._list, realm)

    async def start_dynamic_instance(
        self, realm: str, template: str, session_id: str, order: StartOrder
    ) -> BaseInstance:
        """Start an instance in a new folder and wait until its ports answer.

        Raises:
            TemplateNotFound: There is no such template, or it cannot be used.
            BuildFailed: Its folder cannot be copied, or its keeper not be started.
            NotReady: Its command ended, or does not listen.
            NoCapacity: No address, disk or process is left.
            Misconfigured, AccessRefused: No sandbox works, or a folder cannot be used.
            Cancelled: The session was stopped meanwhile, or a newer generation of it is there.
            TimedOut: The deadline passed.
        """
        if order.id != session_id:
            raise Misconfigured("the order is for another session")
        return await self._bring_up(realm, template, order)

    async def reset(
        self,
        realm: str,
        template: str,
        session: StartOrder | None = None,
        *,
        progress: Progress | None = None,  # noqa: ARG002  of classic instances
    ) -> BaseInstance:
        """Make the instance's folder and processes anew, at its address.

        Raises:
            InstanceNotFound: Without a session; there are no classic instances here.
            ProviderError: As for a start.
        """
        if session is None:
            raise InstanceNotFound("a local provider has no classic instances")
        return await self._bring_up(realm, template, session)

    async def stop_dynamic_instance(self, session_id: str) -> None:
        """End the session's processes and remove its folder; a start of it that is under way is called off.

        Raises:
            TimedOut: The system does not let go of a process.
            AccessRefused, Misconfigured: The folder cannot be removed.
        """
        with told_plainly():
            await self._threads.run(self._stop, session_id)

    async def _bring_up(self, realm: str, template: str, order: StartOrder) -> BaseInstance:
        if realm not in self.realms:
            raise Misconfigured(f"{self.kind}/{self.name} does not serve the realm {realm!r}")
        with told_plainly():
            made_from = await self._threads.run(self._templates.get, template)
            sandbox = await self._threads.run(self._usable_sandbox)
            record = await self._starter.bring_up(Plan(realm, made_from, sandbox, order))
        return LocalInstance(record, running=True)

    def _open(self) -> Path:
        self._runs.open()
        self._records.open()
        return self.config.data

    def _usable_sandbox(self) -> Sandbox:
        self._open()
        if self._sandbox is None:
            self._sandbox = find_sandbox(self.config.sandbox, self.config.data)
        return self._sandbox

    def _list(self, realm: str | None) -> Listing[BaseInstance]:
        self._open()
        stuck = self._runs.sweep(self._records.knows)
        self._records.tidy()
        records, rejected = self._records.all()
        items = [
            LocalInstance(record, running=self._runs.alive(record))
            for record in records
            if realm in {None, record.realm}
        ]
        return Listing(items, [*rejected, *stuck])

    def _stop(self, session_id: str) -> None:
        self._open()
        self._starter.remove(session_id)
