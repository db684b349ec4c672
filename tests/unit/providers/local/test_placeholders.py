"""``$FLAG0`` and its like."""

from hypothesis import given
from hypothesis import strategies as st

from chatsubo.providers.local.placeholders import SECRETS, filled, mistakes

KNOWN = SECRETS | {"SESSION"}


def test_values_are_put_in_once() -> None:
    values = {"FLAG0": "FLAG{$RNG0}", "RNG0": "never"}
    assert filled("a $FLAG0 b ${FLAG0}c $$RNG0", values) == "a FLAG{$RNG0} b FLAG{$RNG0}c $RNG0"


def test_a_value_that_is_missing_is_empty() -> None:
    assert filled("<$FLAG0>", {}) == "<>"


@given(st.text())
def test_a_text_without_mistakes_can_be_filled(text: str) -> None:
    if not list(mistakes(text, KNOWN)):
        filled(text, {})


@given(st.text(alphabet=st.characters(exclude_characters="$")))
def test_a_text_without_placeholders_stays_as_it_is(text: str) -> None:
    assert not list(mistakes(text, KNOWN))
    assert filled(text, {"FLAG0": "x"}) == text


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), st.text()))
def test_every_value_is_found_again(values: dict[str, str]) -> None:
    text = "|".join(f"${{{name}}}" for name in sorted(values))
    assert filled(text, values) == "|".join(values[name] for name in sorted(values))
