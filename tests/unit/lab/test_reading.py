"""What providers return, as it is kept."""

import json
from pathlib import Path

from chatsubo.domain.text import Text
from chatsubo.lab.reading import read_template, read_text
from chatsubo.providers.base import BaseTemplate


def test_a_malformed_label_is_a_warning_that_names_it_and_not_its_value() -> None:
    template = BaseTemplate("web", "lab", labels={"chatsubo.difficulty": "eleven", "chatsubo.os": "Linux"})
    (warning,) = read_template(template).warnings
    assert str(warning) == ("The label chatsubo.difficulty is not used: expected a whole number from 1 to 10.")


def test_a_text_is_kept_with_plain_values_however_a_plugin_fills_it() -> None:
    inner = Text("in {place}", {"place": Path("/pool")})
    kept = read_text(Text("{n} of {all}\0: {why}", {"n": 1.5, "all": float("nan"), "why": inner, "b": b"\0"}))
    assert str(kept) == "1.5 of nan: in /pool"
    assert Text.from_json(json.loads(json.dumps(kept.to_json(), allow_nan=False))).params["n"] == 1.5
