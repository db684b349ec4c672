"""``app.providers.base.template``: what a plugin of the founding document makes its templates from."""

from typing import Any

from chatsubo.providers.seedstyle.labels import parse_creds, parse_flags


class BaseTemplate:
    """What a box is made from. Plugins add parameters, and override :meth:`to_json`.

    Attributes:
        provider: What the plugin says of its provider.
        name: The template's name.
        dynamic: Whether an own instance can be started from it.
        flags, creds: What the labels tell, as plain values.
        labels: The labels.
    """

    def __init__(self, name: str, provider: Any, labels: Any = None, dynamic: bool = False) -> None:
        self.provider = provider
        self.name = name
        self.dynamic = dynamic
        self.labels = [] if labels is None else labels
        self.flags = parse_flags(self.labels)
        self.creds = parse_creds(self.labels)

    def to_json(self) -> dict[str, Any]:
        """Return the template as plain values; flags and passwords are in it."""
        return self._to_json()

    def _to_json(self) -> dict[str, Any]:
        return {
            "provider": self.provider,
            "name": self.name,
            "flags": self.flags,
            "creds": self.creds,
            "labels": self.labels,
            "dynamic": self.dynamic,
        }
