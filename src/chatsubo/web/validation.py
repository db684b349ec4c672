"""What msgspec says of a request's body and query, field by field, in words of ours: its own are English alone.

The sentences are those of msgspec's ``ValidationError``; Litestar lists them with the paths of their fields.
"""

import re
from collections.abc import Mapping
from typing import Any

from chatsubo.domain.errors import FieldProblem
from chatsubo.domain.text import N_, Text

_SENTENCES: Mapping[str, str] = {
    r"Object missing required field `(?P<field>.+)`": N_("This is missing."),
    r"Object contains unknown field `(?P<field>.+)`": N_("There is no such field."),
    r"Expected `\w+` of length <= (?P<limit>\d+)": N_("This is too long: its length is at most {limit}."),
    r"Expected `\w+` >= (?P<limit>-?\d+)": N_("This is too small: it is at least {limit}."),
    r"Expected `\w+` <= (?P<limit>-?\d+)": N_("This is too large: it is at most {limit}."),
    r"Expected `\w+` matching regex .+": N_("This holds characters that are not allowed here."),
    r"Expected `(?P<expected>.+)`, got `(?P<found>.+)`": N_("This is of the type {found}; expected was {expected}."),
    r"Invalid enum value .+": N_("This is none of the choices."),
}
_NOT_EXPECTED = N_("This is not what is expected here.")


def field_problem(raw: Any) -> FieldProblem:
    """Return one of the mistakes that Litestar lists, without the value that it may quote.

    Args:
        raw: Its ``key``, where the field is, as in ``flags[0].points`` or ``data`` for all of a body; and its
            ``message``, msgspec's sentence.
    """
    told = raw if isinstance(raw, dict) else {"message": raw}
    path = re.sub(r"\[(\d+)\]", r".\1", str(told.get("key", ""))).removeprefix("data").removeprefix(".")
    sentence = str(told.get("message", ""))
    for pattern, message in _SENTENCES.items():
        if found := re.fullmatch(pattern, sentence, re.DOTALL):
            params = found.groupdict()
            field = params.pop("field", "")
            return FieldProblem(".".join(part for part in (path, field) if part), Text(message, params))
    return FieldProblem(path, Text(_NOT_EXPECTED))
