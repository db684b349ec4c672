"""What is wrong with a configuration, in words for the person who wrote it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chatsubo.domain.text import Text


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the configuration.

    Attributes:
        path: Where it is, as in ``providers.docker.wz_docker.api.port``; empty for the file as a whole.
        expected: What should have been there.
        found: What is there, or None where that is not known, would not help, or could be a secret.
        suggestion: What to do about it, where that is known.
        line: Line of the file, from 1.
        variable: The environment variable that the value came from.
    """

    path: str
    expected: Text
    found: Text | None = None
    suggestion: Text | None = None
    line: int | None = None
    variable: str | None = None

    @property
    def origin(self) -> str:
        """Where to look: ``server.port (line 12)``, ``server.port (CHATSUBO__SERVER__PORT)`` or ``line 3``."""
        source = self.variable or (f"line {self.line}" if self.line is not None else "")
        if not self.path:
            return source
        return f"{self.path} ({source})" if source else self.path

    @property
    def sentence(self) -> str:
        """What is wrong, in English: ``expected text, found a list. Did you mean ...?``."""
        found = "" if self.found is None else f", found {self.found}"
        suggestion = "" if self.suggestion is None else f". {self.suggestion}"
        return f"expected {self.expected}{found}{suggestion}"

    def __str__(self) -> str:
        return f"{self.origin}: {self.sentence}" if self.origin else self.sentence

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary of plain values, with English texts."""
        return {
            "path": self.path,
            "line": self.line,
            "variable": self.variable,
            "expected": str(self.expected),
            "found": None if self.found is None else str(self.found),
            "suggestion": None if self.suggestion is None else str(self.suggestion),
        }


class ConfigError(Exception):
    """The configuration cannot be used. It holds every problem at once.

    Attributes:
        source: The configuration file.
        problems: What is wrong, in the order of the file; never empty.
    """

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        super().__init__(source, tuple(problems))
        self.source = source
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([f"{self.source} cannot be used:", *(f"  {problem}" for problem in self.problems)])


class InvalidValue(ValueError):
    """A model or a leaf type refuses a value; the loader turns it into a :class:`Problem`.

    Raise it from a leaf type's ``from_text``, from a check given to :func:`chatsubo.config.checked`, or from a
    model's ``__post_init__`` for rules between fields.

    Args:
        expected: What should have been there. Never put the value itself into it.
        at: For rules between fields, the field that is wrong, as a path below the model (``"api.port"``).
        suggestion: What to do about it.
        reveal: False where the value may be shown to nobody.
    """

    def __init__(self, expected: Text, *, at: str = "", suggestion: Text | None = None, reveal: bool = True) -> None:
        super().__init__(str(expected))
        self.expected = expected
        self.at = at
        self.suggestion = suggestion
        self.reveal = reveal
