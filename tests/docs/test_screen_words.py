"""What a guide says is on the screen is on the screen: in italics or in quotes, in the language of the guide."""

import re
from functools import cache

import pytest
from babel.messages.pofile import read_po

from chatsubo import i18n
from tests.docs.pages import DOCS, LANGUAGES, Page

GUIDES = [Page(DOCS / language / f"{name}.md") for language in LANGUAGES for name in ("players", "organisers")]
SCREEN = [*GUIDES, *(Page(DOCS / language / f"{name}.md") for language in LANGUAGES for name in ("box-authors",))]
OTHERWISE = {"italics", "italique", "values", "valeurs"}
"""In italics for another reason."""
LEAST = 8
QUOTED = re.compile(r"“([^”]+)”|\"([^\"]+)\"|« ([^»]+) »")


def _plain(text: str) -> str:
    return (
        text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        .replace("\N{NO-BREAK SPACE}", " ")
        .replace("\N{NARROW NO-BREAK SPACE}", " ")
    )


@cache
def _texts(language: str) -> list[re.Pattern[str]]:
    """All that the platform says in a language; placeholders stand for anything."""
    [catalogue] = i18n.__path__
    with (DOCS.parent / catalogue / "locale" / "fr" / "LC_MESSAGES" / "chatsubo.po").open("rb") as file:
        messages = list(read_po(file, locale="fr"))
    said = [message.id if language == "en" else message.string for message in messages if message.id]
    singular = [str(text[0] if isinstance(text, tuple | list) else text) for text in said]
    # Of "{name}: {reason}" nothing could be told apart.
    telling = [text for text in singular if len(re.sub(r"\{\w+\}|\W", "", text)) >= LEAST or "{" not in text]
    return [re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(_plain(text)))) for text in telling if text]


def _is_said(text: str, language: str, *, whole: bool) -> bool:
    plain = _plain(text)
    if whole:
        return any(one.fullmatch(plain) for one in _texts(language))
    return any(plain in one.pattern.replace("\\", "") for one in _texts(language))


@pytest.mark.parametrize("page", SCREEN, ids=lambda page: page.name)
def test_words_in_italics_are_on_the_screen(page):
    language = page.path.parent.name
    missing = [text for text in page.emphasised if text not in OTHERWISE and not _is_said(text, language, whole=True)]
    assert missing == []


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_sentences_in_quotes_are_on_the_screen(page):
    language = page.path.parent.name
    texts = [token.content for token in page.inline if token.type == "text"]
    quoted = [next(filter(None, found)) for text in texts for found in QUOTED.findall(text)]
    assert [text for text in quoted if not _is_said(text, language, whole=False)] == []


def test_a_word_that_is_not_on_the_screen_would_be_noticed():
    assert _is_said("Never mind", "en", whole=True)
    assert _is_said("VPN configuration for wz01", "en", whole=True)
    assert not _is_said("Never mine", "en", whole=True)
