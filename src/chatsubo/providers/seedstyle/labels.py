"""The label grammar as plugins know it from ``app.providers.labels``: plain values go in and come out."""

from collections.abc import Iterable, Mapping
from typing import Any

from chatsubo.domain.labels import read_metadata

Labels = Mapping[str, str] | Iterable[tuple[str, str]] | None


def parse_flags(labels: Labels) -> list[dict[str, Any]]:
    """Return the flags that ``labels`` tell, each with its name, value and points; a malformed one is skipped.

    Args:
        labels: A mapping, or pairs; an empty list is valid.
    """
    return [{"name": one.name, "value": one.value, "points": one.points} for one in read_metadata(_texts(labels)).flags]


def parse_creds(labels: Labels) -> list[dict[str, Any]]:
    """Return the initial accesses that ``labels`` tell, each with its type, username and password; likewise."""
    found = read_metadata(_texts(labels)).creds
    return [{"type": one.type, "username": one.username, "password": one.password} for one in found]


def _texts(labels: Any) -> dict[str, str]:
    return {str(key): "" if value is None else str(value) for key, value in dict(labels or ()).items()}
