"""The provider of ours that runs a plugin written as the founding document shows."""

import asyncio
import functools
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import structlog

from chatsubo.config import ProviderConfig, RawConfig
from chatsubo.domain.text import N_, Text
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
from chatsubo.providers.exc import (
    BackendConnectionException,
    InstanceNotFound,
    Misconfigured,
    NotReady,
    ProviderError,
    TemplateNotFound,
    TimedOut,
    described,
)
from chatsubo.providers.redaction import Redactor, speak_of
from chatsubo.providers.seedstyle.base.provider import BaseProvider as SeedProvider
from chatsubo.providers.seedstyle.errors import translated
from chatsubo.providers.seedstyle.gates import Vpns
from chatsubo.providers.seedstyle.reading import failure, read_all, read_instance, read_template
from chatsubo.providers.seedstyle.sessions import Sessions
from chatsubo.providers.threads import Threads, called_off

T = TypeVar("T")

FRESH = 10.0
"""Seconds for which the templates that a check has listed answer a listing too."""
APPEARS_WITHIN = 60.0
"""Seconds within which an instance that was started has to be listed, and to have an address."""
POLL = 1.0

_OURS = Path(__file__).parent.parent

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """The session that a plugin resets an instance for."""

    id: str


class SeedStyleProvider(BaseProvider):
    """Calls a plugin's plain methods in threads, and reads what they return.

    The plugin's own provider is made at the first check, since its constructor may connect; while that fails, each
    check tries again.

    Attributes:
        plugin: The plugin's class.
    """

    Config: ClassVar[type[ProviderConfig]] = RawConfig
    plugin: ClassVar[type[SeedProvider]]

    def __init__(self, name: str, config: RawConfig, vpns: Any) -> None:
        super().__init__(list(dict.fromkeys(config.realms)), vpns)
        self.name = name
        self.is_dynamic = bool(self.plugin.is_dynamic)
        self._config = config
        self._redact = Redactor(one.reveal() for one in config.secrets)
        speak_of(config.certain)
        self._threads = Threads(name)
        self._sessions = Sessions()
        self._making = asyncio.Lock()
        self._made: SeedProvider | None = None
        self._templates: tuple[float, Listing[BaseTemplate]] | None = None
        self._raised: dict[str, str] = {}

    @classmethod
    def running(cls, kind: str, plugin: type[SeedProvider]) -> type[Self]:
        """Return the class that runs a plugin."""
        told = {"__doc__": plugin.__doc__, "__module__": plugin.__module__}
        return type(
            plugin.__name__, (cls,), {**told, "kind": kind, "plugin": plugin, "is_dynamic": bool(plugin.is_dynamic)}
        )

    @classmethod
    def from_config(cls, name: str, raw_conf: RawConfig, vpns: Any) -> Self:
        """Return the provider that the configuration describes."""
        return cls(name, raw_conf, vpns)

    async def check(self) -> Check:
        """Make the plugin's provider, and let it list its templates: it has no other way to prove its reach."""
        try:
            listing = await self._list_templates()
        except BackendConnectionException as error:
            text = Text("{detail}", {"detail": error.detail})
            return Check(reachable=False, is_dynamic=self.is_dynamic, findings=[Finding(ok=False, text=text)])
        self._templates = (time.monotonic(), listing)
        text = Text(N_("the plugin connects, and lists its templates"))
        return Check(reachable=True, is_dynamic=self.is_dynamic, findings=[Finding(ok=True, text=text)])

    async def list_templates(self) -> Listing[BaseTemplate]:
        """Return what the plugin lists, each name once."""
        known, self._templates = self._templates, None
        if known is not None and time.monotonic() - known[0] < FRESH:
            return known[1]
        return await self._list_templates()

    async def _list_templates(self) -> Listing[BaseTemplate]:
        plugin = await self._plugin()
        found = await self._run("list_templates", lambda: read_all(plugin.list_templates(), read_template(self.name)))
        return Listing(list({one.name: one for one in reversed(found.items)}.values())[::-1], found.rejected)

    async def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:
        """Return what the plugin lists in our realms."""
        plugin = await self._plugin()
        arguments = {} if realm is None else {"realm": realm}
        realms = [one for one in self.realms if realm in {None, one}]
        found = await self._run(
            "list_instances", lambda: read_all(plugin.list_instances(**arguments), read_instance(realms))
        )
        for one in found.items:
            one.generation = self._sessions.generation(one.session)
        return found

    async def reset(
        self, realm: str, template: str, session: StartOrder | None = None, *, progress: Progress | None = None
    ) -> BaseInstance:
        """Let the plugin reset an instance, and return it as it is listed then."""
        if session is not None:
            return await self._reset_session(realm, template, session)
        if await self._find(realm, template, None) is None:
            raise InstanceNotFound(f"{self._place}: there is no {template} in {realm} to reset")
        if progress is not None:
            progress.stage(Text(N_("Bringing the machine back to its initial state")))
        await self._do("reset", realm, template, session=None)
        return await self._after_reset(realm, template, None)

    async def _reset_session(self, realm: str, template: str, order: StartOrder) -> BaseInstance:
        self._refuse_strange(realm)
        async with self._sessions.turn(order.id):
            self._sessions.refuse_older(order.id, order.generation)
            found = await self._find(realm, template, order.id)
            if found is None:
                return await self._start(realm, template, order)
            if found.generation == order.generation:
                return found
            await self._do("reset", realm, template, session=Session(order.id))
            self._sessions.made(order.id, order.generation)
            return await self._after_reset(realm, template, order.id)

    async def _after_reset(self, realm: str, template: str, session: str | None) -> BaseInstance:
        found = await self._find(realm, template, session)
        if found is None:
            raise InstanceNotFound(f"{self._place}: {template} is not listed in {realm} after its reset")
        return found

    async def start_dynamic_instance(
        self,
        realm: str,
        template: str,
        session_id: str,
        order: StartOrder,
    ) -> BaseInstance:
        """Let the plugin start an instance, and return it as it is listed then, with the flags that it has made."""
        self._refuse_strange(realm)
        async with self._sessions.turn(session_id):
            self._sessions.refuse_older(session_id, order.generation)
            found = await self._find(realm, template, session_id)
            if found is not None and found.generation in {0, order.generation}:
                return found
            if found is not None:
                await self.stop_dynamic_instance(session_id)
            return await self._start(realm, template, order)

    async def _start(self, realm: str, template: str, order: StartOrder) -> BaseInstance:
        order.progress.stage(Text(N_("Starting the machine")))
        starting = asyncio.ensure_future(self._do("start_dynamic_instance", realm, template, order.id))
        undo = functools.partial(self.stop_dynamic_instance, order.id)
        try:
            async with asyncio.timeout(order.seconds_left):
                await asyncio.shield(starting)
                self._sessions.made(order.id, order.generation)
                return await self._appeared(realm, template, order.id)
        except TimeoutError:
            await called_off(starting, undo)
            raise TimedOut(f"{self._place}: the start took too long") from None
        except ProviderError as error:
            await called_off(starting, undo)
            if type(error) is ProviderError and template not in {
                one.name for one in (await self.list_templates()).items
            }:
                raise TemplateNotFound(error.detail) from None
            raise
        except BaseException:
            await called_off(starting, undo)
            raise

    async def stop_dynamic_instance(self, session_id: str) -> None:
        """Let the plugin remove a session's instance; one that is not listed is gone, whatever it says."""
        try:
            await self._do("stop_dynamic_instance", session_id)
        except ProviderError:
            if await self._find(None, None, session_id) is not None:
                raise
        self._sessions.gone(session_id)

    async def _appeared(self, realm: str, template: str, session_id: str) -> BaseInstance:
        """Return a session's instance once it is listed with an address, or without one after a while."""
        until = time.monotonic() + APPEARS_WITHIN
        while True:
            found = await self._find(realm, template, session_id)
            late = time.monotonic() >= until
            if found is not None and (found.address or late):
                return found
            if late:
                raise NotReady(f"{self._place}: no instance of the session is listed after its start")
            await asyncio.sleep(POLL)

    def _refuse_strange(self, realm: str) -> None:
        if realm not in self.realms:
            raise Misconfigured(f"{self._place} does not serve the realm {realm!r}")

    async def _find(self, realm: str | None, template: str | None, session_id: str | None) -> BaseInstance | None:
        for one in (await self.list_instances(realm)).items:
            if one.session == session_id and (session_id is not None or one.template == template):
                return one
        return None

    async def _plugin(self) -> SeedProvider:
        """Return the plugin's provider, made if it is not there yet."""
        async with self._making:
            if self._made is None:
                raw, vpns = dict(self._config.raw), Vpns(self.vpn_providers)
                made = await self._run("from_config", lambda: self.plugin.from_config(self.name, raw, vpns))
                if not isinstance(made, SeedProvider):
                    raise ProviderError(f"{self._place}: from_config returned {type(made).__name__}")
                self.is_dynamic = bool(made.is_dynamic)
                self._made = made
            return self._made

    async def _do(self, method: str, *arguments: Any, **named: Any) -> None:
        """Call a method that answers with a success or a reason."""
        plugin = await self._plugin()
        answer = await self._run(method, functools.partial(getattr(plugin, method), *arguments, **named))
        reason = failure(answer)
        if reason is not None:
            raise ProviderError(f"{self._place}: {method}: {self._redact(reason)}")

    async def _run(self, method: str, work: Callable[[], T]) -> T:
        """Return what a call of the plugin returns, or raise what it raised as an error of ours, without secrets."""
        try:
            return await self._threads.run(method, work)
        except Exception as error:  # noqa: BLE001  a stranger's code
            meant = translated(error, f"{self._place}: {method}", self._redact, configuring=method == "from_config")
            if meant is not error and type(meant) in {ProviderError, Misconfigured}:
                self._tell(method, error)
            raise meant from None

    def _tell(self, method: str, error: Exception) -> None:
        """Write to the log what was raised and where, once until something else is."""
        said = described(error)
        if self._raised.get(method) == said:
            return
        self._raised[method] = said
        frames = error.__traceback__
        while frames is not None and Path(frames.tb_frame.f_code.co_filename).is_relative_to(_OURS):
            frames = frames.tb_next
        trace = self._redact("".join(traceback.format_exception(type(error), error, frames, chain=False)))
        log.warning("plugin.raised", provider=self.name, method=method, traceback=trace)

    @property
    def _place(self) -> str:
        return f"{self.kind}/{self.name}"
