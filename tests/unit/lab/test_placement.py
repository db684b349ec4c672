"""Which provider a new session goes to."""

from typing import Any

from chatsubo.domain.text import Text
from chatsubo.lab.placement import place, realms_for
from chatsubo.store.listings import ListedTemplate, ProviderListing


def listing(name: str, *, realms: tuple[str, ...] = ("wz01",), template: str = "hello", **more: Any) -> ProviderListing:
    templates = (ListedTemplate(name=template, dynamic=more.pop("dynamic", True)),)
    fields: dict[str, Any] = {"kind": "fake", "is_dynamic": True, "realms": realms, "templates": templates} | more
    return ProviderListing(provider=name, **fields)


def chosen(*listings: ProviderListing, realm: str | None = None, load: dict[str, int] | None = None) -> str | None:
    found = place(listings, "hello", realm, load)
    return None if found is None else found.provider


def test_the_provider_with_the_fewest_sessions_is_chosen() -> None:
    assert chosen(listing("a"), listing("b"), load={"a": 3, "b": 2}) == "b"
    assert chosen(listing("b"), listing("a")) == "a"


def test_one_that_answers_goes_before_one_that_is_away() -> None:
    away = listing("a", problem=Text("The machine's host does not answer at the moment."))

    assert chosen(away, listing("b"), load={"b": 50}) == "b"
    assert chosen(away) == "a"


def test_only_one_that_can_start_the_template_in_the_realm_is_chosen() -> None:
    assert chosen(listing("a"), listing("b", realms=("wz02",)), realm="wz02") == "b"
    assert chosen(listing("a"), realm="wz09") is None
    assert chosen(listing("a", template="other")) is None
    assert chosen(listing("a", is_dynamic=False)) is None
    assert chosen(listing("a", dynamic=False)) is None


def test_the_realms_of_a_box_are_those_of_all_providers_that_can_start_it() -> None:
    offers = [listing("a", realms=("wz02", "wz01")), listing("b", realms=("wz03",), is_dynamic=False), listing("c")]

    assert realms_for(offers, "hello") == ("wz01", "wz02")
