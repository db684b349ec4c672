"""YAML's own errors in plain words.

The parser's messages are not passed on: they quote the file, and what they quote may be a token that was left without
quotes (``token: *abc`` is an undefined alias named abc).
"""

import yaml

from chatsubo.config.errors import Problem
from chatsubo.domain.text import N_, Text

_TABS = Text(N_("spaces for indentation"))
_QUOTES = Text(N_('quotes around a text that holds special characters, as in "a: b"'))
_SAYINGS: tuple[tuple[str, Text, Text], ...] = (
    ("found character '\\t'", _TABS, Text(N_("a tab"))),
    ("found character", _QUOTES, Text(N_("a character that means something else in YAML"))),
    ("mapping values are not allowed", _QUOTES, Text(N_("a second colon, or a line that is indented too far"))),
    ("sequence entries are not allowed", Text(N_("a list on lines of its own")), Text(N_("a dash after a key"))),
    ("could not find expected ':'", Text(N_("a colon after the key")), Text(N_("a line without one"))),
    ("found unexpected end of stream", Text(N_("a closing quote")), Text(N_("the end of the file"))),
    ("found unexpected document separator", Text(N_("a closing quote")), Text(N_("a line of dashes"))),
    (
        "found unknown escape character",
        Text(N_("single quotes around a text with backslashes")),
        Text(N_("a backslash")),
    ),
    ("expected <block end>", Text(N_("keys of one section at the same depth")), Text(N_("a line that is out of line"))),
    ("expected ',' or", Text(N_("a closing bracket or a comma")), Text(N_("something else"))),
    ("found undefined alias", _QUOTES, Text(N_("a star at the beginning of a value"))),
    (
        "expected alphabetic or numeric character",
        _QUOTES,
        Text(N_("a star or an ampersand at the beginning of a value")),
    ),
    ("but found another document", Text(N_("one document")), Text(N_("a line of dashes that begins another"))),
)
_ANYTHING = Text(N_("valid YAML"))
_BEGINS_AT_CONTEXT = ("could not find expected ':'", "found unexpected end of stream", "expected ',' or")


def syntax_problem(error: yaml.YAMLError, text: str) -> Problem:
    """Say what ``error`` means for the person who wrote the file, without quoting the file.

    Args:
        error: What the parser raised.
        text: The text of the file, to find the line where the parser only knows a position.
    """
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Problem("", Text(N_("printable text")), Text(N_("a control character")), line=line)
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem("", _ANYTHING)
    said = error.problem or ""
    mark = error.problem_mark or error.context_mark
    if said.startswith(_BEGINS_AT_CONTEXT):
        mark = error.context_mark or mark
    line_number = mark.line + 1 if mark else None
    for beginning, expected, found in _SAYINGS:
        if said.startswith(beginning):
            return Problem("", expected, found, line=line_number)
    return Problem("", _ANYTHING, line=line_number)
