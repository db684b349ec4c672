"""What can be wrong with a box as an organiser writes it."""

from collections.abc import Iterator

from chatsubo.domain.errors import FieldProblem
from chatsubo.domain.labels import MAX_DURATION, MAX_POINTS, SYSTEMS
from chatsubo.domain.text import N_, Text
from chatsubo.game.views import BoxForm, FlagForm

MARKS = (None, "user", "root")


def problems_of(form: BoxForm) -> Iterator[FieldProblem]:
    """Yield what is wrong with a form, field by field. Whether its template is offered is not looked at."""
    if not 0 < len(form.name.strip()) <= 128:  # noqa: PLR2004  the column's width
        yield FieldProblem("name", Text(N_("A box's name has 1 to {limit} characters."), {"limit": 128}))
    if len(form.description) > 50_000:  # noqa: PLR2004
        yield FieldProblem("description", Text(N_("A description has at most {limit} characters."), {"limit": 50_000}))
    if form.os not in SYSTEMS:
        yield FieldProblem("os", Text(N_("Choose one of {choices}."), {"choices": ", ".join(SYSTEMS)}))
    yield from _range("difficulty", form.difficulty, 1, 10)
    yield from _range("duration", form.duration, 1, MAX_DURATION)
    if not form.track and not form.new_track.strip():
        yield FieldProblem("track", Text(N_("Choose a track, or name a new one.")))
    names = [flag.name.strip().lower() for flag in form.flags]
    for index, flag in enumerate(form.flags):
        yield from _flag_problems(f"flags.{index}", flag, names)


def _flag_problems(field: str, flag: FlagForm, names: list[str]) -> Iterator[FieldProblem]:
    name = flag.name.strip()
    if not 0 < len(name) <= 64:  # noqa: PLR2004  the column's width
        yield FieldProblem(f"{field}.name", Text(N_("A flag's name has 1 to {limit} characters."), {"limit": 64}))
    elif names.count(name.lower()) > 1:
        yield FieldProblem(f"{field}.name", Text(N_("Two flags of a box cannot have one name.")))
    if not flag.dynamic and not 0 < len(flag.value.strip()) <= 512:  # noqa: PLR2004  the column's width
        message = N_("A flag's value has 1 to {limit} characters, unless it is made at each start.")
        yield FieldProblem(f"{field}.value", Text(message, {"limit": 512}))
    yield from _range(f"{field}.points", flag.points, 0, MAX_POINTS)
    if flag.mark not in MARKS:
        yield FieldProblem(f"{field}.mark", Text(N_("Choose user, root or nothing.")))


def _range(field: str, value: int, low: int, high: int) -> Iterator[FieldProblem]:
    if not low <= value <= high:
        message = N_("This is a whole number from {low} to {high}.")
        yield FieldProblem(field, Text(message, {"low": low, "high": high}))
