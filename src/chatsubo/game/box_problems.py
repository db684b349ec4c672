"""What can be wrong with a box as an organiser writes it."""

import re
from collections.abc import Iterator, Sequence

from chatsubo.domain.errors import FieldProblem, Invalid
from chatsubo.domain.flags import MAX_LENGTH, clean_flag, matches
from chatsubo.domain.labels import MAX_DURATION, MAX_POINTS, SYSTEMS
from chatsubo.domain.text import N_, Text
from chatsubo.game.views import BoxForm, FlagForm

MARKS = (None, "user", "root")
MAX_BOX_NAME = 128
MAX_NAME = 64
MAX_DESCRIPTION = 50_000
_ICON = re.compile(r"[a-z0-9-]{1,64}")


def problems_of(form: BoxForm, *, dynamic: bool) -> Iterator[FieldProblem]:
    """Yield what is wrong with a form, field by field. Whether its template is offered is not looked at.

    Args:
        form: The form.
        dynamic: Whether each player starts a machine of the box for themselves; else all share one.
    """
    if not 0 < len(form.name.strip()) <= MAX_BOX_NAME:
        yield _problem("name", N_("A box's name has 1 to {limit} characters."), limit=MAX_BOX_NAME)
    if len(form.description) > MAX_DESCRIPTION:
        yield _problem("description", N_("A description has at most {limit} characters."), limit=MAX_DESCRIPTION)
    if form.os not in SYSTEMS:
        yield _problem("os", N_("Choose one of {choices}."), choices=", ".join(SYSTEMS))
    yield from _range("difficulty", form.difficulty, 1, 10)
    yield from _range("duration", form.duration, 1, MAX_DURATION)
    if not form.track and not form.new_track.strip():
        yield _problem("track", N_("Choose a track, or name a new one."))
    if len(form.new_track.strip()) > MAX_NAME:
        yield _problem("new_track", N_("A track's name has at most {limit} characters."), limit=MAX_NAME)
    for index in range(len(form.flags)):
        yield from _flag_problems(form.flags, index, dynamic=dynamic)


def _flag_problems(flags: Sequence[FlagForm], index: int, *, dynamic: bool) -> Iterator[FieldProblem]:
    at, flag = f"flags.{index}", flags[index]
    others = [*flags[:index], *flags[index + 1 :]]
    name = flag.name.strip()
    if not 0 < len(name) <= MAX_NAME:
        yield _problem(f"{at}.name", N_("A flag's name has 1 to {limit} characters."), limit=MAX_NAME)
    elif any(name.lower() == other.name.strip().lower() for other in others):
        yield _problem(f"{at}.name", N_("Two flags of a box cannot have one name."))
    elif flag.id is not None and any(flag.id == other.id for other in others):
        yield _problem(f"{at}.name", N_("Two flags of a box cannot have one id."))
    yield from _value_problems(f"{at}.value", flag, others, dynamic=dynamic)
    yield from _range(f"{at}.points", flag.points, 0, MAX_POINTS)
    if flag.mark not in MARKS:
        yield _problem(f"{at}.mark", N_("Choose user, root or nothing."))
    if not _ICON.fullmatch(flag.icon):
        yield _problem(f"{at}.icon", N_("An icon's name has small letters, digits and hyphens."))


def _value_problems(field: str, flag: FlagForm, others: Sequence[FlagForm], *, dynamic: bool) -> Iterator[FieldProblem]:
    """Yield why a flag could never be found by its value."""
    value = flag.value.strip()
    if flag.dynamic:
        if not dynamic:
            message = N_("The flags of a machine that all share need values: it is not started for each player.")
            yield _problem(field, message)
    elif not 0 < len(value) <= MAX_LENGTH:
        message = N_("A flag's value has 1 to {limit} characters, unless it is made at each start.")
        yield _problem(field, message, limit=MAX_LENGTH)
    elif any(_is_one(flag, other) for other in others):
        yield _problem(field, N_("Two flags of a box cannot have one value: only the first could be found."))
    else:
        try:
            clean_flag(value)
        except Invalid as error:
            yield from (FieldProblem(field, problem.text) for problem in error.problems)


def _is_one(flag: FlagForm, other: FlagForm) -> bool:
    """Say whether what is submitted for one of two flags may be the other as well."""
    loose = flag.case_insensitive or other.case_insensitive
    return not other.dynamic and matches(flag.value.strip(), other.value, case_insensitive=loose)


def _range(field: str, value: int, low: int, high: int) -> Iterator[FieldProblem]:
    if not low <= value <= high:
        yield _problem(field, N_("This is a whole number from {low} to {high}."), low=low, high=high)


def _problem(field: str, message: str, **params: object) -> FieldProblem:
    return FieldProblem(field, Text(message, params))
