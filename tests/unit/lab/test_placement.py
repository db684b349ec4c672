"""Which provider a new session goes to."""

from typing import Any

from chatsubo.domain.text import Text
from chatsubo.lab.placement import place, realms_for
from chatsubo.store.pictures import Picture, TemplatePicture


def picture(name: str, *, realms: tuple[str, ...] = ("wz01",), template: str = "hello", **more: Any) -> Picture:
    templates = (TemplatePicture(name=template, dynamic=more.pop("dynamic", True)),)
    fields: dict[str, Any] = {"kind": "fake", "is_dynamic": True, "realms": realms, "templates": templates} | more
    return Picture(provider=name, **fields)


def chosen(*pictures: Picture, realm: str | None = None, load: dict[str, int] | None = None) -> str | None:
    found = place(pictures, "hello", realm, load)
    return None if found is None else found.provider


def test_the_provider_with_the_fewest_sessions_is_chosen() -> None:
    assert chosen(picture("a"), picture("b"), load={"a": 3, "b": 2}) == "b"
    assert chosen(picture("b"), picture("a")) == "a"


def test_one_that_answers_goes_before_one_that_is_away() -> None:
    away = picture("a", problem=Text("The machine's host does not answer at the moment."))

    assert chosen(away, picture("b"), load={"b": 50}) == "b"
    assert chosen(away) == "a"


def test_only_one_that_can_start_the_template_in_the_realm_is_chosen() -> None:
    assert chosen(picture("a"), picture("b", realms=("wz02",)), realm="wz02") == "b"
    assert chosen(picture("a"), realm="wz09") is None
    assert chosen(picture("a", template="other")) is None
    assert chosen(picture("a", is_dynamic=False)) is None
    assert chosen(picture("a", dynamic=False)) is None


def test_the_realms_of_a_box_are_those_of_all_providers_that_can_start_it() -> None:
    offers = [picture("a", realms=("wz02", "wz01")), picture("b", realms=("wz03",), is_dynamic=False), picture("c")]

    assert realms_for(offers, "hello") == ("wz01", "wz02")
