"""Texts that people read."""

import json

import pytest

from chatsubo.domain.text import Text, visible
from chatsubo.i18n import translator


def test_a_text_may_hold_a_text_and_survives_being_stored() -> None:
    text = Text("The label {key} is wrong: {reason}", {"key": "a.b", "reason": Text("at most {high}", {"high": 10})})
    kept = Text.from_json(json.loads(json.dumps(text.to_json())))
    assert str(kept) == str(text) == "The label a.b is wrong: at most 10"


@pytest.mark.parametrize("message", ["no {size} left", "{", "a list: {0}", "{reason.far}", "{reason:d}"])
def test_a_stranger_s_sentence_that_cannot_be_filled_in_stays_as_it_is(message: str) -> None:
    text = Text(message, {"reason": "why"})
    assert str(text) == message
    assert translator("fr").text(text) == message


def test_what_commands_a_terminal_is_written_out_and_all_else_stays() -> None:
    assert visible("\x1b[31mé\x9b \u2066漢\t字\n\udc80") == "\\u001b[31mé\\u009b \\u2066漢\t字\n\\udc80"
