"""Where plugins come from, and what is to be said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chatsubo.domain.text import Text
from chatsubo.providers.base import BaseProvider


class Way(StrEnum):
    """How a plugin came in."""

    BUILT_IN = "built in"
    PACKAGE = "package"
    """Another distribution, with an entry point."""
    FOLDER = "folder"
    """Dropped into the folder of plugins."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know about a plugin.

    Attributes:
        text: What it is.
        remedy: What to do about it; ``None`` where nothing is wrong.
    """

    text: Text
    remedy: Text | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a plugin that can be used comes from.

    Attributes:
        way: How it came in.
        origin: Its module and class, or its folder.
        notices: What is to be known about it.
    """

    way: Way
    origin: str
    notices: Sequence[Notice] = ()


@dataclass(frozen=True, slots=True)
class Disabled:
    """A plugin that cannot be used.

    Attributes:
        kind: Which one.
        origin: Where it comes from.
        reason: Why, for organisers.
        way: How it came in.
    """

    kind: str
    origin: str
    reason: Text
    way: Way = Way.PACKAGE


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that can be used.

    Attributes:
        kind: Which one.
        provider: Its class.
        source: Where it comes from.
    """

    kind: str
    provider: type[BaseProvider]
    source: Source


class Unusable(Exception):
    """A plugin cannot be used.

    Attributes:
        reason: Why, for organisers.
    """

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason
