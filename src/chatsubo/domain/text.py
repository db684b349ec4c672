"""Texts that people read, written in English here and translated where they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_COMMANDS = (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000))
_WRITTEN_OUT = {code: f"\\u{code:04x}" for code in _COMMANDS if chr(code) not in "\t\n"}


def visible(text: str) -> str:
    """Return ``text`` with what commands a terminal, or turns the order of what is read, written out by its number.

    Line feeds and tabs stay.
    """
    return text.translate(_WRITTEN_OUT)


def N_(message: str) -> str:  # noqa: N802  the name that gettext's tools look for
    """Mark ``message`` for extraction into the catalogues, and return it as it is."""
    return message


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence for people: an English message with ``{placeholders}``, and their values.

    It is stored and sent as it is, and put into the reader's language at the last moment, so one failure reads right
    for a French player and an English organiser.

    Attributes:
        message: The English sentence, marked with :func:`N_` where it is written; the key into the catalogues.
        params: Plain JSON values for the placeholders, or texts, or what such a text's :meth:`to_json` gave. Never a
            secret.
    """

    message: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the English sentence with its values filled in; as it is written, where a stranger's lacks some."""
        values = {name: str(value) if isinstance(value, Text) else value for name, value in self.values}
        try:
            return self.message.format(**values)
        except (AttributeError, LookupError, TypeError, ValueError):
            return self.message

    @property
    def values(self) -> tuple[tuple[str, Any], ...]:
        """The placeholders' values by name, in which texts are texts again."""
        return tuple((name, Text.from_json(value) if _is_text(value) else value) for name, value in self.params.items())

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary that :meth:`from_json` takes back."""
        params = {name: value.to_json() if isinstance(value, Text) else value for name, value in self.params.items()}
        return {"message": self.message, "params": params}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Text":
        """Return the text that :meth:`to_json` gave ``raw`` for."""
        return cls(raw["message"], raw.get("params", {}))


def _is_text(value: object) -> bool:
    return isinstance(value, Mapping) and value.keys() == {"message", "params"}
