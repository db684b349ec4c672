"""Taking a configuration's secrets out of what plugins say."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from chatsubo.config import Secret
from chatsubo.domain.values import base64_forms

SHORTEST = 4
"""A shorter text is no secret, and would hide half of any output."""
SHORTEST_SPOKEN = 8
"""Likewise in the log, where most of what is said has nothing to do with the secret."""
_WORD = 12
"""A text that is shorter counts where it stands alone, not within a word."""


class Redactor:
    """Replaces secrets by a mask, also where they stand quoted, escaped or in base64.

    Args:
        secrets: The secrets.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: list[str] = []
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Replace these too."""
        forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        self._forms = sorted(forms.union(self._forms), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return ``text`` without secrets."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, Secret.MASK) if len(form) >= _WORD else _alone(form, text)
        return text


def _forms(secret: str) -> set[str]:
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        *base64_forms(secret),
    }


def _alone(form: str, text: str) -> str:
    """Replace ``form`` where it is not a part of a longer word."""
    pieces = text.split(form)
    result = pieces[0]
    for before, after in pairwise(pieces):
        within = before[-1:].isalnum() or after[:1].isalnum()
        result += (form if within else Secret.MASK) + after
    return result


def secrets_in(model: Any) -> Iterator[str]:
    """Yield the secrets of a configuration's model, however deep."""
    if isinstance(model, Secret):
        yield model.reveal()
    elif isinstance(model, msgspec.Struct):
        for name in model.__struct_fields__:
            yield from secrets_in(getattr(model, name))
    elif isinstance(model, Mapping):
        for value in model.values():
            yield from secrets_in(value)
    elif isinstance(model, list | tuple | set | frozenset):
        for value in model:
            yield from secrets_in(value)


spoken = Redactor()
"""Knows the secrets of all configured providers, for what their plugins write to the log or raise by mistake."""


def speak_of(secrets: Iterable[Secret]) -> None:
    """Keep these out of the log, whoever writes them there.

    The log is everybody's, so what others may write too is let through: short texts, and numbers, which would not be
    JSON any more.
    """
    texts = (one.reveal() for one in secrets)
    spoken.add(text for text in texts if len(text) >= SHORTEST_SPOKEN and not text.isdecimal())
