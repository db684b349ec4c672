"""What the founding document's listings are given, and that they are its listings."""

import hashlib
import itertools
import json
from collections.abc import Callable

import pytest

from chatsubo.config import Gate, Secret
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.exc import ProviderError, VpnProviderNotFoundException
from chatsubo.providers.namespaces import Namespace
from chatsubo.providers.seedstyle import reading
from chatsubo.providers.seedstyle.gates import Vpns
from chatsubo.providers.seedstyle.reading import read_all, read_template
from tests.plugins.conftest import HERE

LISTINGS = {
    "seed_pve/pve/provider.py": "f40b85e8ef22a348160b24e454ef4d07a775f6803695b0ade359b5f202ca902e",
    "seed_pve/pve/instance.py": "952b28ef03ca8809fb573e2ac84ac5b35f13432f16f95ee5e0c60ddd22a1adc0",
    "seed_dynamic/yard/template.py": "7460501434c53978f2c881a89759a6eda9b3d7c94f9c80d658284c01bb47d3e5",
    "seed_base/bare/template.py": "700fafe877a1b9b335a78ea864124cca1d446713022246794be2a53e0a3fdbab",
}
LABELS = {"chatsubo.flags.root.value": "FLAG{Villa}", "chatsubo.flags.root.points": "400", "other": "x"}


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_is_what_it_was_in_the_founding_document_byte_for_byte(name: str) -> None:
    assert hashlib.sha256((HERE / name).read_bytes()).hexdigest() == LISTINGS[name]


@pytest.mark.parametrize("place", ["the listing", "what plugins are given"])
def test_a_base_template_says_the_same_whoever_has_it(place: str) -> None:
    if place == "the listing":
        made = Namespace("bare", HERE / "seed_base" / "bare").load("template").BaseTemplate
    else:
        made = Namespace("yard", HERE / "seed_dynamic" / "yard").load("template").BaseTemplate
    assert made("bare", "pve").to_json() == {
        "provider": "pve",
        "name": "bare",
        "flags": [],
        "creds": [],
        "labels": [],
        "dynamic": False,
    }
    told = json.loads(json.dumps(made("villa", {"kind": "pve"}, labels=LABELS, dynamic=True).to_json()))
    assert told["flags"] == [{"name": "root", "value": "FLAG{Villa}", "points": 400}]
    [template] = read_all([told], read_template("lab")).items
    assert (template.name, template.provider, template.dynamic) == ("villa", "lab", True)
    assert template.flags[0].value == "FLAG{Villa}"


def test_gates_are_found_by_their_realm_and_tell_no_token() -> None:
    vpns = Vpns([Gate(realm="wz01", url="http://gate.example", token=Secret("hunter2"))])
    assert vpns.get_by_realm("wz01").url == "http://gate.example"
    with pytest.raises(VpnProviderNotFoundException):
        vpns.get_by_realm("wz02")
    assert json.dumps([one.to_json() for one in vpns]) == '[{"realm": "wz01", "url": "http://gate.example"}]'


def test_a_provider_says_what_it_is_in_plain_values(provider: Callable[..., BaseProvider]) -> None:
    yard = provider("seed_dynamic/yard", dockerfiles_root="/nowhere", machines="/nowhere", token="hunter2")
    assert json.loads(json.dumps(yard.to_json())) == {
        "kind": "yard",
        "name": "lab",
        "realms": ["wz01"],
        "is_dynamic": True,
        "vpns": [],
    }
    assert "hunter2" not in repr(yard) + repr(vars(yard))


def test_a_listing_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST", 3)
    assert len(read_all(iter([{"name": "hello"}] * 3), read_template("lab")).items) == 3
    with pytest.raises(ProviderError, match="it lists more than 3"):
        read_all(itertools.repeat({"name": "hello"}), read_template("lab"))
