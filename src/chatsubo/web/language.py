"""Which language a reader is spoken to in: the account's, else the browser's, else English."""

from chatsubo.game.actor import Actor
from chatsubo.i18n import Translator, languages, negotiate, translator

_LONGEST_HEADER = 1024


def choose(actor: Actor | None, accept_language: str) -> Translator:
    """Return the translator for a reader.

    Args:
        actor: Who reads, if logged in.
        accept_language: The browser's header, as it came.
    """
    if actor is not None and actor.language in languages():
        return translator(actor.language)
    return translator(negotiate(_by_quality(accept_language)))


def _by_quality(header: str) -> list[str]:
    """Return the language tags of an ``Accept-Language`` header, the dearest first (RFC 9110, section 12.5.4)."""
    if len(header) > _LONGEST_HEADER:
        return []
    wanted = []
    for position, part in enumerate(header.split(",")):
        tag, _, parameter = part.partition(";")
        name, _, value = parameter.partition("=")
        try:
            quality = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if tag.strip() and 0 < quality <= 1:
            wanted.append((-quality, position, tag.strip()))
    return [tag for _, _, tag in sorted(wanted)]
