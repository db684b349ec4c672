"""Reading a Dockerfile: its lines as instructions.

The rules are those of the engine's own reader (the Dockerfile reference and moby's ``frontend/dockerfile/parser``).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chatsubo.domain.text import N_, Text

KEYWORDS = frozenset(
    {
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
        *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
    }
)
MAX_SIZE = 1_000_000
"""Characters of a Dockerfile that are looked at; no sensible one comes near."""

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
_COMMENT = re.compile(r"\s*#")
_HEREDOC = re.compile(r"(?:(?<=\s)|^)\d*<<(-?)(['\"]?)([A-Za-z_][\w.-]*)\2(?=\s|$)")
_TAKES_HEREDOC = frozenset({"RUN", "COPY", "ADD"})


class DockerfileError(Exception):
    """A Dockerfile cannot be read.

    Attributes:
        text: Why, in words for its author; no value of the file is in it.

    Args:
        message: The reason, marked for translation; ``{line}`` in it is filled in.
        line: The line, from 1; 0 for the file as a whole.
    """

    def __init__(self, message: str, line: int = 0, **params: object) -> None:
        self.text = Text(message, {**params, "line": line} if line else params)
        super().__init__(str(self.text))


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        keyword: In capitals.
        rest: What follows it, continued lines joined, comments removed.
        documents: The here-documents that belong to it, each with its lines.
        line: Where it begins in the file, from 1.
    """

    keyword: str
    rest: str
    documents: tuple[str, ...]
    line: int

    @property
    def text(self) -> str:
        """All that it says, its here-documents too."""
        return "\n".join((self.rest, *self.documents))


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A Dockerfile's instructions.

    Attributes:
        lines: The file's lines as they are.
        instructions: In the order of the file; at least one is a ``FROM``.
        escape: The character that continues a line: a backslash, or a backtick where the file says so.
    """

    lines: tuple[str, ...]
    instructions: tuple[Instruction, ...]
    escape: str


def parse(text: str) -> Dockerfile:
    """Return the instructions of a Dockerfile.

    Raises:
        DockerfileError: It cannot be read.
    """
    if len(text) > MAX_SIZE:
        raise DockerfileError(N_("the Dockerfile is too long"))
    lines = tuple(re.split(r"\r?\n", text.removeprefix("\ufeff")))
    escape = _escape(lines)
    instructions = tuple(_instructions(lines, escape))
    if not any(one.keyword == "FROM" for one in instructions):
        raise DockerfileError(N_("the Dockerfile has no FROM"))
    for one in instructions:
        if one.keyword == "FROM":
            break
        if one.keyword != "ARG":
            raise DockerfileError(N_("line {line}: only ARG may come before the first FROM"), one.line)
    return Dockerfile(lines, instructions, escape)


def _escape(lines: tuple[str, ...]) -> str:
    for line in lines:
        directive = _DIRECTIVE.fullmatch(line.strip())
        if directive is None:
            break
        if directive[1].lower() == "escape":
            if directive[2] not in ("\\", "`"):
                raise DockerfileError(N_("line {line}: the escape character is a backslash or a backtick"), 1)
            return directive[2]
    return "\\"


def _instructions(lines: tuple[str, ...], escape: str) -> Iterator[Instruction]:
    ends_open = re.compile(re.escape(escape) + r"[ \t]*$")
    number = 0
    while number < len(lines):
        line, first = lines[number], number + 1
        number += 1
        if not line.strip() or _COMMENT.match(line):
            continue
        joined = line.lstrip()
        while ends_open.search(joined):
            joined = ends_open.sub("", joined)
            # Comments and empty lines inside a continued instruction do not end it.
            while number < len(lines) and (_COMMENT.match(lines[number]) or not lines[number].strip()):
                number += 1
            if number >= len(lines):
                break
            joined += lines[number]
            number += 1
        keyword, rest = _keyword(joined, first)
        documents: list[str] = []
        if keyword in _TAKES_HEREDOC:
            number = _read_documents(rest, lines, number, documents, first)
        yield Instruction(keyword, rest, tuple(documents), first)


def _keyword(joined: str, line: int) -> tuple[str, str]:
    parts = joined.strip().split(None, 1)
    keyword = parts[0].upper() if parts else ""
    if keyword not in KEYWORDS:
        raise DockerfileError(N_("line {line}: this is no Dockerfile instruction"), line)
    if len(parts) == 1:
        raise DockerfileError(N_("line {line}: {keyword} needs an argument"), line, keyword=keyword)
    return keyword, parts[1]


def _read_documents(rest: str, lines: tuple[str, ...], number: int, documents: list[str], line: int) -> int:
    for heredoc in _HEREDOC.finditer(rest):
        body: list[str] = []
        while True:
            if number >= len(lines):
                raise DockerfileError(N_("line {line}: a here-document does not end"), line)
            current = lines[number].lstrip("\t") if heredoc[1] else lines[number]
            number += 1
            if current == heredoc[3]:
                break
            body.append(current)
        documents.append("\n".join(body))
    return number
