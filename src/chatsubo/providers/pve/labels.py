"""The labels that this plugin reads and writes, beyond those that all plugins share."""

import re
from collections.abc import Mapping

from chatsubo.domain.values import SLOTS

SESSION = "chatsubo.session"
TEMPLATE = "chatsubo.template"
REALM = "chatsubo.realm"
ADDRESS = "chatsubo.address"
DYNAMIC = "chatsubo.dynamic"
READY = "chatsubo.ready"
SNAPSHOT = "chatsubo.snapshot"
"""The snapshot that a classic machine goes back to; the parent of its present state where the label is missing."""
PROVIDER = "chatsubo.provider"
"""The name of the provider that made a clone: two platforms may share a cluster."""
GENERATION = "chatsubo.generation"
STATE = "chatsubo.state"
"""``ready`` on a clone whose start was finished; whatever else is half made."""
FINISHED = "ready"

NAMES = frozenset({"SESSION", *(f"{family}{slot}" for family in ("FLAG", "RNG") for slot in range(SLOTS))})
_REFERENCE = re.compile(r"\$(?:\{([A-Z]+[0-9]*)\}|([A-Z]+[0-9]*))")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with the session's values where it names them, as in ``$FLAG0`` and ``${RNG3}``."""
    return _REFERENCE.sub(lambda found: values.get(found[1] or found[2], found[0]), text)


def emptied(text: str) -> str:
    """Return ``text`` with nothing where it names a session's values."""
    return fill(text, dict.fromkeys(NAMES, ""))


def named_in(text: str) -> frozenset[str]:
    """Return the values that ``text`` names."""
    return frozenset(one for found in _REFERENCE.findall(text) for one in found if one in NAMES)
