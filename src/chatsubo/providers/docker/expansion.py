"""Words of a Dockerfile: how they are split, unquoted, and have their variables filled in.

The rules are those of moby's ``frontend/dockerfile/shell`` and ``parser/line_parsers``.
"""

import re
from collections.abc import Callable

from chatsubo.domain.text import N_
from chatsubo.providers.docker.dockerfile import DockerfileError

Lookup = Callable[[str], str | None]

MAX_DEPTH = 20
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_PATTERNS = "#%/"


def split_words(rest: str, escape: str) -> list[str]:
    """Return the words of ``rest``, separated by spaces outside quotes; quotes and escapes stay as they are."""
    words: list[str] = []
    word = ""
    quote = ""
    position = 0
    while position < len(rest):
        character = rest[position]
        if character == escape and quote != "'" and position + 1 < len(rest):
            word += rest[position : position + 2]
            position += 2
            continue
        if not quote and character.isspace():
            if word:
                words.append(word)
            word = ""
        else:
            if character == quote:
                quote = ""
            elif not quote and character in "'\"":
                quote = character
            word += character
        position += 1
    return [*words, word] if word else words


def split_pairs(rest: str, escape: str, line: int) -> list[tuple[str, str]]:
    """Return the names and values of a ``LABEL`` or an ``ENV``, unexpanded: ``a=b c=d`` or the old ``a b``.

    Raises:
        DockerfileError: A word is neither.
    """
    words = split_words(rest, escape)
    if words and "=" not in words[0]:
        value = rest.strip().removeprefix(words[0]).strip()
        if not value:
            raise DockerfileError(N_("line {line}: a name needs a value"), line)
        return [(words[0], value)]
    pairs = []
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals):
            raise DockerfileError(N_("line {line}: expected NAME=VALUE"), line)
        pairs.append((name, value))
    return pairs


def expand(word: str, lookup: Lookup, escape: str, line: int) -> str:
    """Return ``word`` without its quotes and escapes, its variables filled in; unknown ones are empty.

    Args:
        word: As written.
        lookup: Gives a variable's value, or None.
        escape: The escape character.
        line: For errors.

    Raises:
        DockerfileError: A quote or a brace does not end, or a substitution is none that engines know.
    """
    return _Expansion(word, lookup, escape, line, 0).run()


class _Expansion:
    """The reading of one word."""

    def __init__(self, word: str, lookup: Lookup, escape: str, line: int, depth: int) -> None:
        self.word = word
        self.lookup = lookup
        self.escape = escape
        self.line = line
        self.depth = depth
        self.position = 0

    def run(self) -> str:
        if self.depth > MAX_DEPTH:
            raise self.error(N_("line {line}: a substitution is too deep"))
        pieces = []
        while self.position < len(self.word):
            character = self.take()
            if character == "'":
                pieces.append(self.until("'"))
            elif character == '"':
                pieces.append(self.double())
            elif character == "$":
                pieces.append(self.variable())
            elif character == self.escape:
                pieces.append(self.take() if self.position < len(self.word) else character)
            else:
                pieces.append(character)
        return "".join(pieces)

    def take(self) -> str:
        self.position += 1
        return self.word[self.position - 1]

    def peek(self) -> str:
        return self.word[self.position : self.position + 1]

    def until(self, end: str) -> str:
        found = self.word.find(end, self.position)
        if found < 0:
            raise self.error(N_("line {line}: a quote does not end"))
        piece = self.word[self.position : found]
        self.position = found + 1
        return piece

    def double(self) -> str:
        pieces: list[str] = []
        while self.position < len(self.word):
            character = self.take()
            if character == '"':
                return "".join(pieces)
            if character == "$":
                pieces.append(self.variable())
            elif character == self.escape and self.peek() and self.peek() in f'"${self.escape}':
                pieces.append(self.take())
            else:
                pieces.append(character)
        raise self.error(N_("line {line}: a quote does not end"))

    def variable(self) -> str:
        if self.peek() == "{":
            self.position += 1
            return self.braced()
        name = _NAME.match(self.word, self.position)
        if name is None:
            return "$"
        self.position = name.end()
        return self.lookup(name[0]) or ""

    def braced(self) -> str:
        name = _NAME.match(self.word, self.position)
        if name is None:
            raise self.error(N_("line {line}: a substitution has no name"))
        self.position = name.end()
        value = self.lookup(name[0])
        operator = self.take() if self.peek() else ""
        if operator == "}":
            return value or ""
        if not operator:
            raise self.error(N_("line {line}: a brace does not end"))
        colon = operator == ":"
        if colon:
            operator = self.take() if self.peek() else ""
        if operator not in ("-", "+", "?", *(_PATTERNS if not colon else "")) or not operator:
            raise self.error(N_("line {line}: a substitution cannot be read"))
        other = self.nested()
        if operator in _PATTERNS:
            # Newer engines cut patterns off; what is shown here is the value before that.
            return value or ""
        there = bool(value) if colon else value is not None
        if operator == "+":
            return other if there else ""
        return (value or "") if there else (other if operator == "-" else "")

    def nested(self) -> str:
        start, depth = self.position, 1
        while self.position < len(self.word):
            character = self.take()
            if character == self.escape and self.peek():
                self.position += 1
            elif character == "{":
                depth += 1
            elif character == "}":
                depth -= 1
                if depth == 0:
                    inside = self.word[start : self.position - 1]
                    return _Expansion(inside, self.lookup, self.escape, self.line, self.depth + 1).run()
        raise self.error(N_("line {line}: a brace does not end"))

    def error(self, message: str) -> DockerfileError:
        return DockerfileError(message, self.line)
