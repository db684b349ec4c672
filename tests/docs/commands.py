"""The commands that a page shows."""

import re
import shlex
from collections.abc import Iterator

from tests.docs.pages import Page

_SHELL = {"", "sh", "ini"}
_BREAKS = {"|", "||", "&", "&&", ";", ">", "<", "(", ")"}
_PREFIX = re.compile(r"(\$ |ExecStart=|exec )")
_PROGRAM = re.compile(r"(.*/bin/)?chatsubo")


def lines_of_code(page: Page) -> Iterator[str]:
    """Yield the lines that somebody could type: those of shell blocks, and of code within the text."""
    for block in page.blocks:
        if block.language in _SHELL:
            yield from block.code.splitlines()
    yield from page.inline_code


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(_PREFIX.sub("", line.strip()), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # a quote of prose, or of a command that goes on in the next line
        return []


def commands_of(page: Page, program: re.Pattern[str] = _PROGRAM) -> Iterator[list[str]]:
    """Yield the arguments of each call of ``program`` that the page shows."""
    for line in lines_of_code(page):
        words = _words(line)
        for index, word in enumerate(words):
            begins = index == 0 or words[index - 1] in _BREAKS or "/bin/" in word
            if begins and program.fullmatch(word):
                rest = words[index + 1 :]
                end = next((at for at, one in enumerate(rest) if one in _BREAKS), len(rest))
                if rest[:end]:
                    yield rest[:end]
