"""Secrets are taken out of what plugins say, however they are written there."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from chatsubo.config import Secret
from chatsubo.providers import redaction
from chatsubo.providers.redaction import Redactor, secrets_in, speak_of
from tests.unit.config.plugins import HypervisorConfig, Token

SECRET = 'p\N{LATIN SMALL LETTER E WITH ACUTE}ss/w"rd & more'


@pytest.mark.parametrize(
    "form", [SECRET, quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), repr(SECRET), json.dumps(SECRET)]
)
def test_every_form_of_a_secret_is_taken_out(form: str) -> None:
    redacted = Redactor([SECRET])(f"refused: {form} (401)")
    assert redacted.replace("'", "").replace('"', "") == "refused: *** (401)"


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_secret_in_base64_is_taken_out(encode: Callable[[bytes], bytes]) -> None:
    assert Redactor([SECRET])(f"sent {encode(SECRET.encode()).decode()}").rstrip("=") == "sent ***"


def test_a_short_one_counts_where_it_stands_alone() -> None:
    redact = Redactor(["east", "abc"])
    assert redact("at least east, or user:east@host; abc") == "at least ***, or user:***@host; abc"


def test_a_longer_secret_wins_over_a_shorter_one_within_it() -> None:
    assert Redactor(["hunter2", "hunter2-and-more-of-it"])("hunter2-and-more-of-it") == "***"


def test_the_secrets_of_a_model_are_found_however_deep() -> None:
    config = HypervisorConfig(realms=("wz01",), host="h", token=Token(name="n", value=Secret("deep")))  # type: ignore[arg-type]
    assert list(secrets_in({"list": [config]})) == ["deep"]


def test_the_log_is_spared_what_others_may_write_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "spoken", Redactor())
    speak_of([Secret("hunter2-hunter2"), Secret("docker"), Secret("1234567890")])
    line = '{"kind": "docker", "ms": 1234567890, "said": "hunter2-hunter2"}'
    assert redaction.spoken(line) == '{"kind": "docker", "ms": 1234567890, "said": "***"}'
