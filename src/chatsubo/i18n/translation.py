"""The catalogues that ship with the package, one folder per language below ``locale/``, and who speaks from them."""

import gettext
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from chatsubo.domain.text import Text
from chatsubo.i18n import formats

DOMAIN = "chatsubo"
DEFAULT = "en"
"""The language that messages are written in; it needs no catalogue."""

_LOCALE = Path(__file__).parent / "locale"


class Translator:
    """Speaks one language.

    Args:
        language: A language of :func:`languages`.
        catalogue: Its messages.

    Attributes:
        language: What it speaks.
        gettext: Translates one message.
        ngettext: Translates ``(singular, plural, number)``.
    """

    def __init__(self, language: str, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        self.gettext = catalogue.gettext
        self.ngettext = catalogue.ngettext

    def text(self, text: Text) -> str:
        """Return ``text`` in this language, with its values filled in; a value may be a text itself."""
        values = {name: self._value(value) for name, value in text.values}
        try:
            return self.gettext(text.message).format(**values) if text.message else ""
        except (AttributeError, LookupError, TypeError, ValueError):
            return str(text)

    def number(self, value: float) -> str:
        """Return ``value`` grouped as this language does."""
        return formats.number(value, self.language)

    def date(self, moment: datetime, zone: tzinfo | None = None) -> str:
        """Return the day of ``moment`` in ``zone`` (its own where none is given)."""
        return formats.date(moment, self.language, zone)

    def moment(self, moment: datetime, zone: tzinfo | None = None) -> str:
        """Return day, time and zone of ``moment`` in ``zone`` (its own where none is given)."""
        return formats.moment(moment, self.language, zone)

    def ago(self, moment: datetime, now: datetime) -> str:
        """Return how far ``moment`` is from ``now``, as in ``3 hours ago`` or ``in 2 days``."""
        return formats.ago(moment, now, self.language)

    def duration(self, length: timedelta) -> str:
        """Return ``length`` in its two largest units, as in ``1 hour, 20 minutes``."""
        return formats.duration(length, self.language)

    def _value(self, value: Any) -> Any:
        return self.text(value) if isinstance(value, Text) else value


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that there are: English, then those with a catalogue, by name."""
    found = sorted(folder.name for folder in _LOCALE.glob("*") if (folder / "LC_MESSAGES").is_dir())
    return (DEFAULT, *(name for name in found if name != DEFAULT))


@cache
def translator(language: str) -> Translator:
    """Return the translator of ``language``. What is not translated, or all if it is unknown, is English."""
    known = language if language in languages() else DEFAULT
    wanted = [known] if known != DEFAULT else []
    return Translator(known, gettext.translation(DOMAIN, _LOCALE, wanted, fallback=True))


def negotiate(wanted: Iterable[str]) -> str:
    """Return the first language of ``wanted`` that there is, else English.

    Args:
        wanted: Language tags such as ``fr-CA``, the dearest first.
    """
    known = languages()
    for tag in wanted:
        primary = tag.replace("_", "-").split("-")[0].lower()
        if primary in known:
            return primary
    return DEFAULT
