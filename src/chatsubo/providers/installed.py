"""Plugins behind an entry point: ours, and those of other distributions."""

from collections.abc import Iterator
from functools import reduce
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.loading import LIMIT, adapted, examined, within
from chatsubo.providers.namespaces import APP, Namespace
from chatsubo.providers.sources import Disabled, Plugin, Source, Unusable, Way

GROUP = "chatsubo.providers"


def installed(limit: float = LIMIT) -> Iterator[Plugin | Disabled]:
    """Import what is behind the entry points, and yield each, or why it cannot be used.

    Of two with one name that can be used the first counts, ours before others.

    Args:
        limit: Seconds that each import may take.
    """
    known: dict[str, str] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda one: (one.name, not _is_ours(one), one.value)):
        way = Way.BUILT_IN if _is_ours(entry) else Way.PACKAGE
        if entry.name in known:
            reason = Text(N_("another plugin of that kind is installed: {origin}"), {"origin": known[entry.name]})
            yield Disabled(entry.name, entry.value, reason, way)
            continue
        try:
            provider = within(limit, lambda entry=entry: _imported(entry))  # type: ignore[misc]
        except Unusable as error:
            yield Disabled(entry.name, entry.value, error.reason, way)
        else:
            known[entry.name] = entry.value
            yield Plugin(entry.name, provider, Source(way, entry.value))


def _imported(entry: EntryPoint) -> type[BaseProvider]:
    return adapted(entry.name, examined(_loaded(entry), entry.name))


def _loaded(entry: EntryPoint) -> Any:
    """Return what is behind an entry point; one whose code imports ``app.providers`` is given that."""
    try:
        return entry.load()
    except ModuleNotFoundError as error:
        spec = find_spec(entry.module) if (error.name or "").partition(".")[0] == APP else None
        if spec is None or spec.origin is None:
            raise
    file = Path(spec.origin)
    module = Namespace(entry.name, file.parent).load("" if file.stem == "__init__" else file.stem)
    return reduce(getattr, entry.attr.split("."), module)


def _is_ours(entry: EntryPoint) -> bool:
    return entry.value.startswith("chatsubo.")
