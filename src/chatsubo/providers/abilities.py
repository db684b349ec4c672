"""What a plugin can do, as known from the methods that its class overrides."""

import inspect
from enum import StrEnum

from chatsubo.providers.base import BaseProvider
from chatsubo.providers.seedstyle.base.provider import BaseProvider as SeedProvider


class Ability(StrEnum):
    """Something that a plugin can do."""

    TEMPLATES = "templates"
    INSTANCES = "instances"
    RESET = "reset"
    START = "start"


_METHODS = {
    Ability.TEMPLATES: ("list_templates",),
    Ability.INSTANCES: ("list_instances",),
    Ability.RESET: ("reset",),
    Ability.START: ("start_dynamic_instance", "stop_dynamic_instance"),
}


def overrides(cls: type, base: type, method: str) -> bool:
    """Say whether ``cls`` has a method of its own where ``base`` has one."""
    return inspect.getattr_static(cls, method, None) is not inspect.getattr_static(base, method, None)


def abilities(provider: type[BaseProvider]) -> tuple[Ability, ...]:
    """Return what a plugin can do.

    Args:
        provider: Its class; for one written as the founding document shows, the class that runs it.
    """
    written: type = getattr(provider, "plugin", provider)
    base = SeedProvider if issubclass(written, SeedProvider) else BaseProvider
    return tuple(
        ability for ability, methods in _METHODS.items() if all(overrides(written, base, one) for one in methods)
    )
