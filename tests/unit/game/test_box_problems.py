"""What is told about a box as an organiser writes it."""

import pytest
from msgspec import structs

from chatsubo.game.box_problems import problems_of
from chatsubo.game.views import BoxForm, FlagForm

BOX = BoxForm(template="hello", name="Hello", track="basics")


def told(*flags: FlagForm, dynamic: bool = True) -> dict[str, str]:
    form = structs.replace(BOX, flags=flags)
    return {problem.field: str(problem.text) for problem in problems_of(form, dynamic=dynamic)}


def flag(name: str, value: str = "", **more: object) -> FlagForm:
    return structs.replace(FlagForm(name=name, value=value), **more)


@pytest.mark.parametrize(
    ("one", "other", "folded"),
    [
        ("FLAG{a}", "FLAG{a}", (False, False)),
        ("FLAG{a}", " FLAG{a} ", (False, False)),
        ("FLAG{caf\u00e9}", "FLAG{cafe\u0301}", (False, False)),
        ("FLAG{a}", "flag{A}", (True, True)),
        ("FLAG{a}", "flag{A}", (True, False)),
        ("FLAG{a}", "flag{A}", (False, True)),
        ("FLAG{stra\u00dfe}", "flag{STRASSE}", (False, True)),
    ],
)
def test_two_flags_that_one_submission_would_find_are_refused(one: str, other: str, folded: tuple[bool, bool]) -> None:
    flags = [
        flag(name, value, case_insensitive=fold) for name, value, fold in zip("ab", (one, other), folded, strict=True)
    ]
    sentence = "Two flags of a box cannot have one value: only the first could be found."
    assert told(*flags, flag("c", "FLAG{c}")) == {"flags.0.value": sentence, "flags.1.value": sentence}


def test_values_that_differ_are_two_and_so_are_those_made_at_each_start() -> None:
    assert told(flag("a", "FLAG{a}"), flag("b", "FLAG{A}")) == {}
    assert told(flag("a", dynamic=True), flag("b", dynamic=True), flag("c", "FLAG{c}")) == {}


def test_a_value_that_nobody_could_submit_is_refused() -> None:
    assert told(flag("a", "FLAG{a\x07}")) == {"flags.0.value": "A flag holds no control characters. Copy it again."}


def test_the_machine_that_all_share_has_no_flags_of_a_start() -> None:
    assert list(told(flag("a", dynamic=True), flag("b", "FLAG{b}"), dynamic=False)) == ["flags.0.value"]


def test_one_flag_is_not_written_twice() -> None:
    assert list(told(flag("a", "1", id=7), flag("b", "2", id=7))) == ["flags.0.name", "flags.1.name"]


@pytest.mark.parametrize("icon", ["", "Flag", "a b", "x" * 65])
def test_an_icon_is_named_as_icons_are(icon: str) -> None:
    assert list(told(flag("a", "1", icon=icon))) == ["flags.0.icon"]


def test_a_tracks_name_is_told_to_be_too_long_and_not_cut() -> None:
    form = structs.replace(BOX, new_track="x" * 65)
    assert [problem.field for problem in problems_of(form, dynamic=True)] == ["new_track"]
