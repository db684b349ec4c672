"""What players' files are called."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsubo.config.values import name
from chatsubo.gates import file_name

TAKEN_BY_WG_QUICK = re.compile(r"[a-zA-Z0-9_=+.-]{1,15}\.conf")
REALMS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=64)
"""What may name a realm."""


@pytest.mark.parametrize(
    ("realm", "stem"),
    [("wz01", "chatsubo-wz01"), ("orbita", "chatsubo-orbita"), ("straylight", "cs-straylight")],
)
def test_a_file_is_called_after_its_realm(realm: str, stem: str) -> None:
    assert file_name(realm, "wireguard") == file_name(realm, None) == f"{stem}.conf"
    assert file_name(realm, "openvpn") == f"{stem}.ovpn"


@given(REALMS)
def test_a_realm_of_any_name_makes_a_file_that_clients_take(realm: str) -> None:
    assert TAKEN_BY_WG_QUICK.fullmatch(file_name(name(realm), "wireguard"))


def test_realms_that_look_alike_have_files_of_their_own() -> None:
    realms = ("étage", "ètage", "a/b", "a:b", "a-b", "the-matrix-of-monday", "the-matrix-of-tuesday")
    assert len({file_name(realm, "wireguard") for realm in realms}) == len(realms)
