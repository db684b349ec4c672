"""Usernames: which there may be, and when two of them are one."""

import re
import unicodedata

from chatsubo.domain.errors import Invalid
from chatsubo.domain.text import N_

USERNAME = re.compile(r"(?!\.{1,2}$)[\w.+-](?:[\w.+ -]{0,30}[\w.+-])?")
"""Not ``.`` or ``..``: as a part of an address, browsers take these for the folder itself and the one above."""

INVISIBLE = re.compile("[\u115f\u1160\u3164\uffa0]")
"""Letters to Unicode that nobody sees: with one of them behind it, a name looks like another's."""

GATE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,31}")
"""Names that gates are given as they are. One that begins with a hyphen would be an option in an old gate's command."""


def check_username(username: str) -> str:
    """Return the name in Unicode's compatible form.

    Raises:
        Invalid: Unless it has 1 to 32 letters, digits, inner spaces and ``. _ + -``.
    """
    plain = unicodedata.normalize("NFKC", username[:256]).strip()
    if not USERNAME.fullmatch(plain) or INVISIBLE.search(plain):
        raise Invalid.field(
            "username", N_("A username has 1 to 32 letters, digits, dots, hyphens, underscores and spaces within.")
        )
    return plain


def name_key(username: str) -> str:
    """Return the form of a name in which two names that look alike but for case are one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).strip().casefold())[:64]
