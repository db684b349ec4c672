"""The pages of the documentation, as their readers and their reader's tools see them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LANGUAGES = ("en", "fr")

_MARKDOWN = MarkdownIt().enable("table")


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        language: What stands after the fence; empty for an indented block.
        code: What is in it.
        line: Where it begins in its page, from 1.
    """

    language: str
    code: str
    line: int


@dataclass(frozen=True)
class Page:
    """A page of Markdown."""

    path: Path

    @property
    def name(self) -> str:
        """Where it is in the repository."""
        return str(self.path.relative_to(ROOT))

    @cached_property
    def tokens(self) -> list[Token]:
        """Its blocks."""
        return _MARKDOWN.parse(self.path.read_text(encoding="utf-8"))

    @property
    def blocks(self) -> list[Block]:
        """Its blocks of code."""
        return [
            Block(token.info, token.content, token.map[0] + 1)
            for token in self.tokens
            if token.type in {"fence", "code_block"} and token.map
        ]

    @property
    def headings(self) -> list[tuple[int, str]]:
        """Its headings, each with its level."""
        return [
            (int(before.tag[1]), token.content)
            for before, token in zip(self.tokens, self.tokens[1:], strict=False)
            if before.type == "heading_open"
        ]

    @property
    def anchors(self) -> set[str]:
        """What links to its headings end in, as GitHub makes it."""
        return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for _, text in self.headings}

    @property
    def links(self) -> list[str]:
        """Where its links lead, pictures included."""
        return [
            str(token.attrs.get("href") or token.attrs.get("src"))
            for token in self.inline
            if token.type in {"link_open", "image"}
        ]

    @property
    def inline_code(self) -> list[str]:
        """What is set as code within its text."""
        return [token.content for token in self.inline if token.type == "code_inline"]

    @property
    def emphasised(self) -> list[str]:
        """What is in italics."""
        return [
            after.content
            for before, after in zip(self.inline, self.inline[1:], strict=False)
            if before.type == "em_open" and after.type == "text"
        ]

    @cached_property
    def inline(self) -> list[Token]:
        """The pieces of its text."""
        return [child for token in self.tokens for child in token.children or ()]


def pages_of(language: str) -> list[Page]:
    """The pages of the manual in one language."""
    return [Page(path) for path in sorted((DOCS / language).glob("*.md"))]


def _all_pages() -> Iterator[Page]:
    yield from (Page(path) for path in sorted(ROOT.glob("*.md")))
    yield from (Page(path) for path in sorted(DOCS.rglob("*.md")))


ALL = tuple(_all_pages())
MANUAL = tuple(page for language in LANGUAGES for page in pages_of(language))
