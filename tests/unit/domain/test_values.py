"""The values that a session is given."""

import base64
import re
import string
from collections import Counter

import pytest

from chatsubo.domain.values import make_flag, make_password, make_values, redact


def test_a_session_is_given_its_id_and_fifty_one_of_each() -> None:
    values = make_values("the-session", "WZ")

    assert set(values) == {"SESSION"} | {f"{kind}{slot}" for kind in ("FLAG", "RNG") for slot in range(51)}
    assert values["SESSION"] == "the-session"
    assert len(set(values.values())) == 103


def test_a_flag_is_the_prefix_with_35_hex_digits() -> None:
    assert re.fullmatch(r"WZ\{[0-9a-f]{35}\}", make_flag("WZ"))


def test_a_password_is_8_letters_and_digits_which_are_all_as_likely() -> None:
    drawn = Counter("".join(make_password() for _ in range(12_400)))

    assert all(re.fullmatch(r"[A-Za-z0-9]{8}", make_password()) for _ in range(100))
    assert set(drawn) == set(string.ascii_letters + string.digits)
    # 1,600 of each are expected; ten standard deviations away is no luck any more.
    assert all(1_200 < count < 2_000 for count in drawn.values())


def test_values_are_replaced_by_their_names() -> None:
    values = {"SESSION": "the-session", "FLAG0": "WZ{123}", "FLAG1": "", "RNG7": "aB3xY9kQ"}

    assert redact("for the-session: WZ{123}WZ{123} aB3xY9kQ", values) == "for the-session: [FLAG0][FLAG0] [RNG7]"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("value", ["WZ{123}", "aB3xY9kQ", "{~?}>~?"])
def test_values_in_base64_are_replaced_too_also_with_their_line_feed(value, encode):
    values = {"SESSION": "the-session", "RNG7": value}
    alone, line = (encode(text.encode()).decode() for text in (value, f"{value}\n"))

    assert redact(f"cloud-init: {alone}", values).rstrip("=") == "cloud-init: [RNG7]"
    assert redact(f"cloud-init: {line}", values).startswith("cloud-init: [RNG7]")
    assert value not in redact(f"cloud-init: {value}", values)
