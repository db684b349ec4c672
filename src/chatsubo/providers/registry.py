"""Which plugins there are, and the providers that a configuration makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import structlog

from chatsubo.config import Config, ProviderConfig, ProviderEntry, RawConfig, Secret
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.disabled import DisabledProvider
from chatsubo.providers.exc import described
from chatsubo.providers.folders import dropped
from chatsubo.providers.installed import installed
from chatsubo.providers.loading import LIMIT
from chatsubo.providers.redaction import Redactor, secrets_in, speak_of
from chatsubo.providers.sources import Disabled, Notice, Plugin, Source, Way
from chatsubo.providers.threads import with_plain_methods

__all__ = ["Disabled", "Registry"]

EXTRAS = {"docker": "docker", "pve": "pve"}
"""Kinds of ours whose client library comes with an extra of the same distribution."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Registry:
    """The plugins that were found.

    Attributes:
        plugins: The provider class of each kind that can be used.
        disabled: Those that cannot.
        sources: Where each kind that can be used comes from.
    """

    plugins: Mapping[str, type[BaseProvider]] = field(default_factory=dict)
    disabled: Sequence[Disabled] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path | None = None, *, limit: float = LIMIT) -> Self:
        """Load every plugin: those behind an entry point, then those dropped into a folder, which take their place.

        One that fails to import, hangs, or is no plugin is disabled, and nothing else suffers.

        Args:
            folder: The folder of plugins; it need not exist.
            limit: Seconds that the import of one may take.
        """
        usable: dict[str, Plugin] = {}
        disabled: list[Disabled] = []
        for found in [*installed(limit), *(dropped(folder, limit) if folder else ())]:
            if isinstance(found, Plugin):
                replaced = [usable[found.kind].source.origin] if found.kind in usable else []
                if found.source.way is Way.FOLDER:
                    # Nobody misses one that could not be used: an extra of ours that is not installed, say.
                    replaced += [one.origin for one in disabled if one.kind == found.kind and not replaced]
                    disabled = [one for one in disabled if one.kind != found.kind]
                usable[found.kind] = _in_place_of(replaced, found)
                continue
            disabled.append(found)
            if found.way is Way.FOLDER:
                # Whoever dropped it wants it instead of the other, not sometimes the one and sometimes the other.
                usable.pop(found.kind, None)
        plugins = {kind: usable[kind].provider for kind in sorted(usable)}
        return cls(plugins, tuple(disabled), {kind: usable[kind].source for kind in plugins})

    def config_models(self) -> dict[str, type[ProviderConfig]]:
        """Return the configuration model of each kind, for :func:`chatsubo.config.load`."""
        return {kind: plugin.Config for kind, plugin in self.plugins.items()}

    def reasons(self) -> dict[str, Text]:
        """Return why each kind is disabled that is, for :func:`chatsubo.config.load`."""
        return {one.kind: one.reason for one in self.disabled if one.kind not in self.plugins}

    def hints(self) -> dict[str, str]:
        """Return the extra to install for each kind of ours that cannot be used as things stand."""
        dropped_in = {one.kind for one in self.disabled if one.way is Way.FOLDER}
        return {kind: extra for kind, extra in EXTRAS.items() if kind not in self.plugins and kind not in dropped_in}

    def troubles(self) -> tuple[Disabled, ...]:
        """Return the disabled plugins that somebody has to see to: not an extra of ours that is not installed."""
        hints = self.hints()
        return tuple(one for one in self.disabled if one.kind not in hints)

    def build(self, config: Config) -> dict[str, BaseProvider]:
        """Return the configured providers by name, in the order of the file, then those that are disabled.

        A provider that cannot be made is disabled as well. No input or output.
        """
        providers = {entry.name: self._build(entry, config) for entry in config.providers}
        for one in config.disabled:
            providers[one.name] = DisabledProvider(one.kind, one.name, one.realms, one.reason)
        return providers

    def tell(self) -> None:
        """Write to the log which plugins are disabled, and what is to be known about the others."""
        for one in self.troubles():
            log.error("plugin.disabled", kind=one.kind, origin=one.origin, reason=str(one.reason))
        for kind, source in self.sources.items():
            for notice in source.notices:
                log.warning("plugin.notice", kind=kind, origin=source.origin, notice=str(notice.text))

    def _build(self, entry: ProviderEntry, config: Config) -> BaseProvider:
        if not isinstance(entry.model, RawConfig):
            # What only may be one there is no secret to everybody: its own provider tells which are.
            speak_of(map(Secret, secrets_in(entry.model)))
        vpns = tuple(gate for gate in config.vpns if gate.realm in entry.realms)
        try:
            provider: Any = self.plugins[entry.kind].from_config(entry.name, entry.model, vpns)
            _examine(provider, entry)
            return with_plain_methods(provider)
        except (Exception, SystemExit) as error:  # noqa: BLE001  a stranger's plugin may raise anything
            said = Redactor(secrets_in(entry.model))(described(error))
            reason = Text(N_("its plugin could not make it: {error}"), {"error": said})
            log.error("provider.disabled", provider=entry.name, kind=entry.kind, reason=str(reason))  # noqa: TRY400
            return DisabledProvider(entry.kind, entry.name, entry.realms, reason)


def _in_place_of(replaced: Sequence[str], plugin: Plugin) -> Plugin:
    """Return a plugin with a notice of each that it takes the place of."""
    text = N_("it takes the place of the plugin {origin}")
    notices = [Notice(Text(text, {"origin": origin})) for origin in replaced]
    return replace(plugin, source=replace(plugin.source, notices=(*notices, *plugin.source.notices)))


def _examine(provider: Any, entry: ProviderEntry) -> None:
    """Make sure that the platform can begin to work with what a plugin made: one that it stumbles over stops it all.

    Raises:
        TypeError: If it cannot.
    """
    if not isinstance(provider, BaseProvider):
        raise TypeError(f"it returned {type(provider).__name__}")
    if provider.name != entry.name:
        raise TypeError(f"it set name to {provider.name!r}")
    realms: Any = provider.list_realms()
    if not (isinstance(realms, list | tuple) and all(isinstance(one, str) for one in realms)):
        raise TypeError(f"list_realms returned {type(realms).__name__}")
    starts: Any = provider.max_concurrent_starts
    timeout: Any = provider.start_timeout
    if not (isinstance(starts, int) and starts > 0):
        raise TypeError("max_concurrent_starts is no whole number above 0")
    if not (isinstance(timeout, int | float) and timeout > 0):
        raise TypeError("start_timeout is no number above 0")
