"""Which plugins there are, and the providers that a configuration makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Self

import structlog

from chatsubo.config import Config, ProviderConfig
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.threads import with_plain_methods

GROUP = "chatsubo.providers"

EXTRAS = {"docker": "docker"}
"""Kinds of ours whose client library comes with an extra of the same distribution."""

TAKEN = "another plugin is of the same kind"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Disabled:
    """A plugin that cannot be used.

    Attributes:
        kind: Which one.
        origin: Where it comes from.
        reason: Why, for organisers.
    """

    kind: str
    origin: str
    reason: str


@dataclass(frozen=True, slots=True)
class Registry:
    """The plugins that were found.

    Attributes:
        plugins: The provider class of each kind that can be used.
        disabled: Those that cannot.
    """

    plugins: Mapping[str, type[BaseProvider]] = field(default_factory=dict)
    disabled: Sequence[Disabled] = ()

    @classmethod
    def load(cls) -> Self:
        """Load every plugin behind an entry point; one that fails to import is disabled, and nothing else suffers.

        Of two plugins of one kind ours is taken, or the first by its module's name.
        """
        plugins: dict[str, type[BaseProvider]] = {}
        disabled: list[Disabled] = []
        for entry in sorted(entry_points(group=GROUP), key=lambda one: (one.name, not _is_ours(one), one.value)):
            found = _load(entry) if entry.name not in plugins else Disabled(entry.name, entry.value, TAKEN)
            if isinstance(found, Disabled):
                log.warning("plugin.disabled", kind=found.kind, origin=found.origin, reason=found.reason)
                disabled.append(found)
            else:
                plugins[entry.name] = found
        return cls(plugins, tuple(disabled))

    def config_models(self) -> dict[str, type[ProviderConfig]]:
        """Return the configuration model of each kind, for :func:`chatsubo.config.load`."""
        return {kind: plugin.Config for kind, plugin in self.plugins.items()}

    def hints(self) -> dict[str, str]:
        """Return the extra to install for each kind of ours that cannot be used as things stand."""
        return {kind: extra for kind, extra in EXTRAS.items() if kind not in self.plugins}

    def build(self, config: Config) -> dict[str, BaseProvider]:
        """Return the configured providers by name, in the order of the file. No input or output."""
        providers: dict[str, BaseProvider] = {}
        for entry in config.providers:
            vpns = tuple(gate for gate in config.vpns if gate.realm in entry.realms)
            provider = self.plugins[entry.kind].from_config(entry.name, entry.model, vpns)
            providers[entry.name] = with_plain_methods(provider)
        return providers


def _is_ours(entry: EntryPoint) -> bool:
    return entry.value.startswith("chatsubo.")


def _load(entry: EntryPoint) -> type[BaseProvider] | Disabled:
    try:
        found: Any = entry.load()
    except Exception as error:  # noqa: BLE001  a stranger's plugin may raise anything
        return Disabled(entry.name, entry.value, f"{type(error).__name__}: {error}")
    if not (isinstance(found, type) and issubclass(found, BaseProvider)):
        return Disabled(entry.name, entry.value, "it is not a subclass of BaseProvider")
    if found.kind != entry.name:
        return Disabled(entry.name, entry.value, f"its kind is {found.kind!r}, its entry point's name {entry.name!r}")
    return found
