"""What is wrong with a configuration, in words for the person who wrote it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chatsubo.domain.text import N_, Text


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
        return str(self._place() or "")

    @property
    def sentence(self) -> str:
        """What is wrong, in English: ``expected text, found a list. Did you mean ...?``."""
        return str(self._said())

    @property
    def text(self) -> Text:
        """Where to look and what is wrong, to be translated where it is shown."""
        place, said = self._place(), self._said()
        return said if place is None else Text(N_("{path}: {reason}"), {"path": place, "reason": said})

    def __str__(self) -> str:
        return str(self.text)

    def _place(self) -> Text | None:
        source: Text | None = None
        if self.variable:
            source = Text("{variable}", {"variable": self.variable})
        elif self.line is not None:
            source = Text(N_("line {line}"), {"line": self.line})
        if not self.path:
            return source
        params = {"path": self.path, "source": source}
        return Text("{path}" if source is None else "{path} ({source})", params)

    def _said(self) -> Text:
        message = N_("expected {expected}") if self.found is None else N_("expected {expected}, found {found}")
        said = Text(message, {"expected": self.expected, "found": self.found})
        if self.suggestion is None:
            return said
        return Text("{problem}. {suggestion}", {"problem": said, "suggestion": self.suggestion})

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
