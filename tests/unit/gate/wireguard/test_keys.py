"""Keys are those that WireGuard's own tools make and take."""

from base64 import b64decode

import pytest

from chatsubo.config import Secret
from chatsubo.gate.wireguard.keys import Material, is_key, issue_keys, new_private_key, public_key

# Of RFC 7748, section 6.1, in base64.
ALICE_PRIVATE = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
ALICE_PUBLIC = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="


def test_a_public_key_follows_from_the_private_one() -> None:
    assert public_key(Secret(ALICE_PRIVATE)) == ALICE_PUBLIC


def test_a_private_key_is_clamped() -> None:
    for _ in range(50):
        raw = b64decode(new_private_key().reveal())
        assert raw[0] & 7 == 0
        assert raw[31] & 0xC0 == 0x40


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        ALICE_PUBLIC[:-1],
        ALICE_PUBLIC + "=",
        ALICE_PUBLIC.replace("=", "A"),
        f" {ALICE_PUBLIC}",
        # The same 32 bytes, with bits behind them that wg refuses.
        "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmp=",
        "é" * 44,
    ],
)
def test_what_is_no_key_is_not_taken_for_one(text: str) -> None:
    assert not is_key(text)
    with pytest.raises(ValueError, match="32 bytes"):
        public_key(Secret(text))


def test_issued_keys_are_new_each_time_and_belong_together() -> None:
    one, other = issue_keys(), issue_keys()
    assert one.public != other.public
    material = Material.of(one)
    assert material.private is not None
    assert material.preshared is not None
    assert public_key(material.private) == one.public
    assert material.preshared != Material.of(other).preshared


def test_material_is_json_that_is_never_shown() -> None:
    keys = issue_keys()
    assert '"private":' in keys.material.reveal()
    private = Material.of(keys).private
    assert private is not None
    assert private.reveal() not in f"{keys!r}{Material.of(keys)!r}"
