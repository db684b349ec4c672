"""Both languages say the same."""

import re

import pytest

from tests.docs.pages import DOCS, Block, Page, pages_of

TWINS = [(page, Page(DOCS / "fr" / page.path.name)) for page in pages_of("en")]

both = pytest.mark.parametrize(("english", "french"), TWINS, ids=[page.path.name for page, _ in TWINS])


def _program(block: Block) -> tuple[str, str]:
    """A block without comments, and without what is said in words: values of several words, and words in capitals."""
    code = re.sub(r"(^|\s+)#.*", "", block.code)
    return block.language, re.sub(r'"[^"\n]* [^"\n]*"|\b[A-ZÉÔ]{3,}(-[A-ZÉÔ]+)*\b', "X", code)


def test_both_languages_have_the_same_pages():
    assert [page.path.name for page in pages_of("en")] == [page.path.name for page in pages_of("fr")]


@both
def test_both_languages_have_the_same_headings_level_by_level(english, french):
    assert [level for level, _ in english.headings] == [level for level, _ in french.headings]


@both
def test_both_languages_show_the_same_code_but_for_words(english, french):
    assert [_program(block) for block in english.blocks] == [_program(block) for block in french.blocks]


@both
def test_both_languages_have_tables_of_the_same_length(english, french):
    rows = [sum(token.type == "tr_open" for token in page.tokens) for page in (english, french)]
    assert rows[0] == rows[1]
