"""What boxes are: their difficulty in words, and the ranges of their values."""

import re
import unicodedata
from enum import StrEnum

from chatsubo.domain.text import N_


class Level(StrEnum):
    """A difficulty in one word; the value is the English word, marked for translation."""

    EASY = N_("easy")
    MEDIUM = N_("medium")
    HARD = N_("hard")
    INSANE = N_("insane")


def level(difficulty: int) -> Level:
    """Return the word for a ``difficulty`` of 1 to 10: 1-3 easy, 4-5 medium, 6-7 hard, 8-10 insane."""
    if difficulty <= 3:  # noqa: PLR2004  the bounds are the scale itself
        return Level.EASY
    if difficulty <= 5:  # noqa: PLR2004
        return Level.MEDIUM
    return Level.HARD if difficulty <= 7 else Level.INSANE  # noqa: PLR2004


def slugify(name: str) -> str:
    """Return ``name`` as a part of an address: lower-case ASCII letters, digits and hyphens; never empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64] or "x"
