"""The names of the values that a session brings, and what stands for a value in an image that many sessions share."""

import re
from collections.abc import Iterable, Mapping

from chatsubo.domain.values import SLOTS

SESSION = "SESSION"
NAMES = frozenset({SESSION, *(f"{family}{slot}" for family in ("FLAG", "RNG") for slot in range(SLOTS))})

_PLACEHOLDER = re.compile(r"chatsubo-value-([A-Z]+[0-9]*)-")
_REFERENCE = re.compile(r"\$(?:\{([A-Z]+[0-9]*)\}|([A-Z]+[0-9]*))")


def placeholder(name: str) -> str:
    """Return what stands for the value of ``name`` in an image that is built once for all sessions."""
    return f"chatsubo-value-{name}-"


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with the values in the place of their placeholders."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def filled(texts: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Return only those of ``texts`` that hold placeholders, with the values in their place."""
    return {key: fill(text, values) for key, text in texts.items() if _PLACEHOLDER.search(text)}


def with_placeholders(text: str) -> str:
    """Return ``text`` with placeholders where it names slots, as in ``$FLAG0`` and ``${RNG3}``."""
    return _REFERENCE.sub(lambda found: _stand_in(found[1] or found[2], found[0]), text)


def mentioned(texts: Iterable[str]) -> frozenset[str]:
    """Return the slots that ``texts`` hold placeholders for."""
    return frozenset(name for text in texts for name in _PLACEHOLDER.findall(text) if name in NAMES)


def without_placeholders(text: str) -> str:
    """Return ``text`` with nothing where the placeholders are."""
    return _PLACEHOLDER.sub("", text)


def _stand_in(name: str, otherwise: str) -> str:
    return placeholder(name) if name in NAMES else otherwise
