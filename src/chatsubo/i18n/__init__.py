"""Catalogues of translations, and the formats of dates, numbers and durations."""

from chatsubo.i18n.translation import DEFAULT, Translator, languages, negotiate, translator

__all__ = ["DEFAULT", "Translator", "languages", "negotiate", "translator"]
