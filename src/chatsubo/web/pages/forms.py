"""Forms as browsers send them."""

import re

from chatsubo.game.views import BoxForm, FlagForm
from chatsubo.web.dependencies import AnyRequest

Fields = dict[str, str]

_FLAG = re.compile(r"flags\.(\d{1,4})\.(\w+)")
_MOST_FLAGS = 200


async def fields_of(request: AnyRequest) -> Fields:
    """Return the texts of the form that was sent, by field."""
    form = await request.form()
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


def whole_number(text: str | None, default: int = -1) -> int:
    """Return ``text`` as a number; ``default``, which no range allows, where it is none."""
    plain = (text or "").strip()
    return int(plain) if re.fullmatch(r"[0-9]{1,9}", plain) else default


def box_form(fields: Fields) -> BoxForm:
    """Return the box that an organiser wrote; the game says what is wrong with it."""
    return BoxForm(
        template=fields.get("template", ""),
        name=fields.get("name", ""),
        description=fields.get("description", "").replace("\r\n", "\n"),
        os=fields.get("os", ""),
        difficulty=whole_number(fields.get("difficulty")),
        duration=whole_number(fields.get("duration")),
        track=fields.get("track", ""),
        new_track=fields.get("new_track", ""),
        authors=tuple(name.strip() for name in fields.get("authors", "").split(",") if name.strip()),
        flags=tuple(_flag(row) for row in _rows(fields)),
    )


def _rows(fields: Fields) -> list[Fields]:
    """Return the fields of each flag in the order of their numbers; Litestar hands fields over in any order."""
    rows: dict[int, Fields] = {}
    for name, value in fields.items():
        if found := _FLAG.fullmatch(name):
            rows.setdefault(int(found[1]), {})[found[2]] = value
    return [rows[index] for index in sorted(rows)][:_MOST_FLAGS]


def _flag(row: Fields) -> FlagForm:
    flag_id = whole_number(row.get("id"))
    return FlagForm(
        id=flag_id if flag_id > 0 else None,
        name=row.get("name", ""),
        value="" if "dynamic" in row else row.get("value", ""),
        points=whole_number(row.get("points")),
        icon=row.get("icon") or "flag",
        mark=row.get("mark") or None,
        case_insensitive="case_insensitive" in row,
        dynamic="dynamic" in row,
    )
