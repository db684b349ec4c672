"""What boxes are made from."""

from collections.abc import Mapping
from typing import Any

from chatsubo.domain.labels import read_metadata
from chatsubo.domain.text import Text


class BaseTemplate:
    """What a box is made from: a folder with a Dockerfile, a VM template, or a classic machine itself.

    Plugins subclass it where the template needs more: they add a parameter, and override :meth:`to_json`.

    Attributes:
        name: Unique on its provider.
        provider: The provider's name (or, in plugins of old, its dictionary).
        labels: The labels, keys in lower case.
        dynamic: Whether an own instance can be started from it.
        metadata: What the labels say.
        flags, creds: Those of the metadata.
        warnings: What an organiser should mend, though the template can be used.
    """

    def __init__(
        self,
        name: str,
        provider: Any,
        labels: Mapping[str, str] | None = None,
        dynamic: bool = False,
        warnings: tuple[Text, ...] = (),
    ) -> None:
        self.name = name
        self.provider = provider
        self.labels = dict(labels or {})
        self.dynamic = dynamic
        self.metadata = read_metadata(self.labels)
        self.flags = self.metadata.flags
        self.creds = self.metadata.creds
        self.warnings = warnings

    def __repr__(self) -> str:
        """Return the name only: labels may hold flags."""
        return f"<{type(self).__name__} {self.name!r}>"

    def to_json(self) -> dict[str, Any]:
        """Return the template as plain values; flags and passwords are in it."""
        return self._to_json()

    def _to_json(self) -> dict[str, Any]:
        return {
            "provider": self.provider,
            "name": self.name,
            "flags": [{"name": f.name, "value": f.value, "points": f.points} for f in self.flags],
            "creds": [{"type": c.type, "username": c.username, "password": c.password} for c in self.creds],
            "labels": self.labels,
            "dynamic": self.dynamic,
        }
