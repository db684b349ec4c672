"""Every text that a person sees is there in every language, with the same placeholders."""

import re
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from chatsubo.domain.text import Text
from chatsubo.i18n import languages, translator
from scripts.messages import DOMAIN, LOCALE, collect

OTHERS = [language for language in languages() if language != "en"]
OLD_STYLE = re.compile(r"%\(\w+\)[sd]")


def catalogue(language: str) -> Catalog:
    file = Path(LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po")
    with file.open("rb") as opened:
        return read_po(opened, locale=language, domain=DOMAIN)


def ids(found: Catalog) -> set[str | tuple[str, ...]]:
    return {tuple(one.id) if isinstance(one.id, list | tuple) else one.id for one in found if one.id}


def placeholders(sentence: str) -> set[str]:
    named = {name for _, name, _, _ in string.Formatter().parse(sentence.replace("%%", "")) if name}
    return named | set(OLD_STYLE.findall(sentence))


def test_french_is_one_of_the_languages() -> None:
    assert languages()[:1] == ("en",)
    assert "fr" in languages()


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogue_holds_exactly_the_texts_of_the_sources(language: str) -> None:
    known, wanted = ids(catalogue(language)), ids(collect())
    assert known == wanted, "run `make messages`"


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated(language: str) -> None:
    missing = [one.id for one in catalogue(language) if one.id and not (one.string and all(_forms(one.string)))]
    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_placeholders_of_its_text(language: str) -> None:
    for one in catalogue(language):
        if one.id and one.string:
            wanted = set().union(*(placeholders(form) for form in _forms(one.id)))
            for form in _forms(one.string):
                assert placeholders(form) == wanted, one.id


def test_no_french_line_begins_with_a_sign_that_belongs_to_the_line_before() -> None:
    torn = re.compile(r" [:;!?»](\s|$)|« ")
    texts = [form for one in catalogue("fr") if one.id for form in _forms(one.string)]
    assert [text for text in texts if torn.search(text)] == [], "U+00A0 belongs there"


def test_no_text_counts_with_a_plural_that_is_wrong_for_one() -> None:
    counts = re.compile(
        r"\{(count|points|minutes|hours|seconds|retry_after)\} [a-z]{2,}s\b|\{limit\} (machines|times)\b"
    )
    assert [one for one in ids(collect()) if isinstance(one, str) and counts.search(one)] == []


def test_a_text_is_put_into_the_readers_language() -> None:
    text = Text("Too many tries. Try again in {retry_after} s.", {"retry_after": 7})
    assert "7" in translator("fr").text(text)
    assert translator("fr").text(text) != translator("en").text(text) == str(text)


def _forms(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (str(value),)
