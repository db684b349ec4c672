"""Submitted flags, and the values that sessions are given."""

import hashlib
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsubo.domain.errors import Invalid
from chatsubo.domain.flags import MAX_LENGTH, clean_flag, digest, matches
from chatsubo.domain.values import make_values

printable = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=100).filter(str.strip)


@given(printable)
def test_a_flag_matches_itself_however_much_space_is_around_it(flag):
    assert matches(clean_flag(f"  {flag}\t\n"), flag)


@given(printable)
def test_composed_and_decomposed_accents_are_one(flag):
    assert matches(clean_flag(unicodedata.normalize("NFD", flag)), unicodedata.normalize("NFC", flag))


@given(printable, printable)
def test_two_different_flags_do_not_match(one, other):
    same = unicodedata.normalize("NFC", one.strip()) == unicodedata.normalize("NFC", other.strip())
    assert matches(clean_flag(one), other) == same


def test_case_counts_unless_the_flag_says_otherwise():
    assert not matches("flag{a}", "FLAG{A}")
    assert matches("flag{a}", "FLAG{A}", case_insensitive=True)


def test_an_empty_value_matches_nothing():
    assert not matches("", "")
    assert not matches(" ", "  ")


@pytest.mark.parametrize("bad", ["", "   ", "x" * (MAX_LENGTH + 1), "x" * 1_000_000, "FLAG{\0}", "a\x1bb", "\ud800"])
def test_what_cannot_be_a_flag_is_told_so(bad):
    with pytest.raises(Invalid) as told:
        clean_flag(bad)
    assert told.value.problems[0].field == "flag"


def test_a_session_is_given_fifty_one_flags_and_passwords_of_the_documented_shape():
    values = make_values("0b9f", "WZ")
    assert values.pop("SESSION") == "0b9f"
    assert len(values) == 102
    assert all(re.fullmatch(r"WZ\{[0-9a-f]{35}\}", values[f"FLAG{slot}"]) for slot in range(51))
    assert all(re.fullmatch(r"[A-Za-z0-9]{8}", values[f"RNG{slot}"]) for slot in range(51))
    assert len(set(values.values())) == 102


def test_a_digest_is_the_sha_256_by_which_a_value_is_found_again_whatever_its_case():
    assert digest(" FLAG{a}") == digest("flag{A}") == hashlib.sha256(b"flag{a}").hexdigest()
