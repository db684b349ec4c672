"""What providers return, as it is kept."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chatsubo.domain.labels import Flag
from chatsubo.domain.text import Text
from chatsubo.lab.reading import read_each, read_instance, read_outcome, read_template, read_text
from chatsubo.providers.base import BaseInstance, BaseTemplate, Endpoint
from chatsubo.providers.exc import ProviderError
from chatsubo.store.listings import ListedInstance


def test_a_malformed_label_is_a_warning_that_names_it_and_not_its_value() -> None:
    template = BaseTemplate("web", "lab", labels={"chatsubo.difficulty": "eleven", "chatsubo.os": "Linux"})
    (warning,) = read_template(template).warnings
    assert str(warning) == ("The label chatsubo.difficulty is not used: expected a whole number from 1 to 10.")


def test_a_text_is_kept_with_plain_values_however_a_plugin_fills_it() -> None:
    inner = Text("in {place}", {"place": Path("/pool")})
    kept = read_text(Text("{n} of {all}\0: {why}", {"n": 1.5, "all": float("nan"), "why": inner, "b": b"\0"}))
    assert str(kept) == "1.5 of nan: in /pool"
    assert Text.from_json(json.loads(json.dumps(kept.to_json(), allow_nan=False))).params["n"] == 1.5


STRANGE: dict[str, dict[str, Any]] = {
    "a port that is a text": {"endpoints": [Endpoint("ssh", "10.0.0.1", "22")]},  # type: ignore[arg-type]
    "a state that is unknown": {"running": None},
    "a generation that is a text": {"generation": "3"},
    "points that are a text": {"flags": [Flag("root", "FLAG{secret}", "100")]},  # type: ignore[arg-type]
    "an address that is a number": {"address": 167772161},
    "no name": {"name": None},
}


def instance(**told: Any) -> BaseInstance:
    return BaseInstance(**{"id": 7, "name": "mail", "realm": "wz01", "template": "mail", "address": "10.0.0.1", **told})


@pytest.mark.parametrize("told", STRANGE.values(), ids=STRANGE)
def test_what_could_not_be_read_again_is_rejected_alone(told: dict[str, Any]) -> None:
    kept, rejected = read_each([instance(**told), instance(name="web")], read_instance)
    assert [one.name for one in kept] == ["web"]
    assert msgspec.convert(msgspec.to_builtins(kept), tuple[ListedInstance, ...]) == kept
    [why] = rejected
    assert str(why.reason).startswith("what its plugin says of it cannot be used: ")
    assert "secret" not in str(why.reason)


def test_a_machine_of_a_session_is_not_left_out_of_a_listing() -> None:
    with pytest.raises(ProviderError, match="of a session's machine cannot be used: Expected `bool`"):
        read_each([instance(session="7c6b", running="yes")], read_instance)


@pytest.mark.parametrize("told", [one for name, one in STRANGE.items() if "port" in name or "address" in name])
def test_a_start_that_returns_what_could_not_be_read_again_has_failed(told: dict[str, Any]) -> None:
    with pytest.raises(ProviderError, match="what the plugin returned cannot be used"):
        read_outcome(instance(**told))
