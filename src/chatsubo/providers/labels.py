"""The label grammar, as plugins see it."""

from collections.abc import Iterable, Mapping

from chatsubo.domain.labels import Creds, Flag, Metadata, parse_notes, read_metadata

__all__ = ["Creds", "Flag", "Metadata", "parse_creds", "parse_flags", "parse_notes", "read_metadata"]

Labels = Mapping[str, str] | Iterable[tuple[str, str]]


def parse_flags(labels: Labels) -> tuple[Flag, ...]:
    """Return the flags that ``labels`` tell; a flag counts when it has both a value and points.

    Args:
        labels: A mapping, or pairs; an empty list is valid.
    """
    return read_metadata(dict(labels)).flags


def parse_creds(labels: Labels) -> tuple[Creds, ...]:
    """Return the initial accesses that ``labels`` tell.

    Args:
        labels: A mapping, or pairs; an empty list is valid.
    """
    return read_metadata(dict(labels)).creds
