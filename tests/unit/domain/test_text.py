"""Texts that people read."""

import json

from chatsubo.domain.text import Text


def test_a_text_may_hold_a_text_and_survives_being_stored() -> None:
    text = Text("The label {key} is wrong: {reason}", {"key": "a.b", "reason": Text("at most {high}", {"high": 10})})
    kept = Text.from_json(json.loads(json.dumps(text.to_json())))
    assert str(kept) == str(text) == "The label a.b is wrong: at most 10"
