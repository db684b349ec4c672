import copy
import json
import logging
import pickle
from pprint import pformat

import msgspec
import pytest
import structlog
import yaml

from chatsubo.config import Config, Gate, Secret

HIDDEN = Secret("hunter2")


@pytest.mark.parametrize("show", [repr, str, ascii, pformat, "{}".format, "{!r:>20}".format, "%s".__mod__])
def test_a_secret_shows_itself_in_no_text(show):
    assert "hunter2" not in show(HIDDEN)
    assert "***" in show(HIDDEN)


def test_a_secret_is_revealed_when_asked():
    assert HIDDEN.reveal() == "hunter2"


def test_a_secret_has_no_dictionary_to_look_into():
    with pytest.raises(TypeError):
        vars(HIDDEN)


@pytest.mark.parametrize("write", [pickle.dumps, json.dumps, msgspec.json.encode, msgspec.to_builtins, yaml.dump])
def test_a_secret_cannot_be_written_down(write):
    with pytest.raises(TypeError) as caught:
        write({"token": HIDDEN})
    assert "hunter2" not in str(caught.value)


def test_a_secret_is_hidden_in_a_log(caplog):
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("token %s of %r", HIDDEN, {"token": HIDDEN})
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("render", [structlog.processors.JSONRenderer(), structlog.dev.ConsoleRenderer(colors=False)])
def test_a_secret_is_hidden_in_a_structured_log(render):
    gate = Gate(realm="wz01", url="http://gate.example", token=HIDDEN)
    line = render(None, "info", {"event": "gate", "token": HIDDEN, "gate": gate, "config": Config(vpns=(gate,))})
    assert "wz01" in line
    assert "hunter2" not in line


def test_secrets_with_one_text_are_equal_and_hash_alike():
    assert Secret("hunter2") == HIDDEN
    assert hash(Secret("hunter2")) == hash(HIDDEN)


def test_secrets_differ_from_other_secrets_and_from_their_own_text():
    assert Secret("hunter3") != HIDDEN
    assert Secret("") != HIDDEN
    assert HIDDEN != "hunter2"


def test_secrets_outside_ascii_can_be_compared():
    assert Secret("mot de passe été") == Secret("mot de passe été")


def test_a_copied_secret_is_the_same_secret():
    assert copy.copy(HIDDEN) is HIDDEN
    assert copy.deepcopy({"token": HIDDEN})["token"] is HIDDEN


def test_an_empty_secret_is_false():
    assert not Secret("")
    assert HIDDEN
