"""What templates say, in the reader's language."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from chatsubo.i18n import Translator, translator


def speech(spoken: Translator) -> Mapping[str, Callable[..., str]]:
    """Return the functions by which a template speaks the language of ``spoken``.

    ``_`` and ``ngettext`` translate and fill in their named values, escaped; ``text`` tells a
    :class:`~chatsubo.domain.text.Text`; ``number`` and ``duration`` (minutes) write values.
    """

    def gettext(message: str, /, **values: Any) -> Markup:
        return _fill(spoken.gettext(message), values)

    def ngettext(singular: str, plural: str, number: int, /, **values: Any) -> Markup:
        values.setdefault("number", _number(number, spoken.language))
        return _fill(spoken.ngettext(singular, plural, number), values)

    def number(value: float) -> str:
        return _number(value, spoken.language)

    def duration(minutes: float) -> str:
        return spoken.duration(timedelta(minutes=minutes))

    return {"_": gettext, "ngettext": ngettext, "text": spoken.text, "number": number, "duration": duration}


def stamp(moment: datetime) -> str:
    """Return a moment for browsers without scripts; with them each reader sees it in their own zone."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _fill(message: str, values: Mapping[str, Any]) -> Markup:
    return escape(message).format(**values) if values else escape(message)


@lru_cache(maxsize=4096)
def _number(value: float, language: str) -> str:
    return translator(language).number(value)
