"""Submitted flags: how they are cleaned and compared."""

import hashlib
import hmac
import unicodedata

from chatsubo.domain.errors import Invalid
from chatsubo.domain.text import N_

MAX_LENGTH = 512


def clean_flag(submitted: str) -> str:
    """Return ``submitted`` without the white space around it, in Unicode's composed form.

    Raises:
        Invalid: If nothing is left, it is longer than :data:`MAX_LENGTH` characters, or holds control characters.
    """
    if len(submitted) > 4 * MAX_LENGTH:
        raise Invalid.field("flag", N_("A flag has at most {limit} characters."), limit=MAX_LENGTH)
    flag = unicodedata.normalize("NFC", submitted.strip())
    if not flag:
        raise Invalid.field("flag", N_("Type a flag first."))
    if len(flag) > MAX_LENGTH:
        raise Invalid.field("flag", N_("A flag has at most {limit} characters."), limit=MAX_LENGTH)
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in flag):
        raise Invalid.field("flag", N_("A flag holds no control characters. Copy it again."))
    return flag


def digest(value: str) -> str:
    """Return a SHA-256 in hex by which given values are found again, also where one was typed in another case."""
    return _sha256(value.strip().casefold())


def matches(submitted: str, expected: str, *, case_insensitive: bool = False) -> bool:
    """Say whether a cleaned submission is the ``expected`` value, in a time that tells nothing of where they differ.

    An empty expected value matches nothing.
    """
    if case_insensitive:
        submitted, expected = submitted.casefold(), expected.casefold()
    return bool(expected.strip()) and hmac.compare_digest(_sha256(submitted), _sha256(expected.strip()))


def _sha256(text: str) -> str:
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")).hexdigest()
