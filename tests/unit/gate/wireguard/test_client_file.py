"""A client's file is what wg-quick takes, with the realm's routes alone."""

import json
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from chatsubo.config import Secret
from chatsubo.gate.config import GateConfig
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.model import Addresses, Keys, Peer
from chatsubo.gate.wireguard import WireGuardTunnel
from chatsubo.gate.wireguard.keys import new_private_key, public_key

PRIVATE = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
PRESHARED = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
SERVER = new_private_key()


def text(six: str | None = None, material: dict[str, str] | None = None, **settings: Any) -> str:
    usual: dict[str, Any] = {"endpoint": "vpn.example", "routes": ("10.210.0.0/16", "fd00:210::/64")}
    config = GateConfig(realm="realm", auth_token=Secret("token"), **(usual | settings))
    tunnel = WireGuardTunnel(config, SERVER)
    sealed = json.dumps({"private": PRIVATE, "preshared": PRESHARED} if material is None else material)
    return tunnel.client_file(
        Peer(
            uid="0" * 32,
            name="alice",
            number=1,
            addresses=Addresses(four=IPv4Address("10.66.0.2"), six=IPv6Address(six) if six else None),
            keys=Keys(public=public_key(Secret(PRIVATE)), material=Secret(sealed)),
            made=0,
        )
    )


def test_the_whole_file() -> None:
    assert text("fd66::2", subnet6="fd66::/64", mtu=1300) == (
        "[Interface]\n"
        f"PrivateKey = {PRIVATE}\n"
        "Address = 10.66.0.2/32, fd66::2/128\n"
        "MTU = 1300\n"
        "\n"
        "[Peer]\n"
        f"PublicKey = {public_key(SERVER)}\n"
        f"PresharedKey = {PRESHARED}\n"
        "Endpoint = vpn.example:51820\n"
        "AllowedIPs = 10.210.0.0/16, fd00:210::/64, 10.66.0.1/32, fd66::1/128\n"
        "PersistentKeepalive = 25\n"
    )


def test_without_ipv6_there_is_no_ipv6_route_and_the_usual_mtu_is_not_said() -> None:
    found = text()
    assert "Address = 10.66.0.2/32\n" in found
    assert "AllowedIPs = 10.210.0.0/16, 10.66.0.1/32\n" in found
    assert "MTU" not in found


def test_the_gate_is_not_named_again_where_a_route_holds_it() -> None:
    assert "AllowedIPs = 10.0.0.0/8\n" in text(routes=("10.0.0.0/8", "10.0.0.0/8"))


@pytest.mark.parametrize(
    ("configured", "written"),
    [
        ("vpn.example:443", "vpn.example:443"),
        ("192.0.2.7", "192.0.2.7:51820"),
        ("2001:db8::1", "[2001:db8::1]:51820"),
        ("[2001:db8::1]:443", "[2001:db8::1]:443"),
        ("[2001:db8::1]", "[2001:db8::1]:51820"),
    ],
)
def test_the_endpoint_has_a_port_and_brackets_where_they_are_needed(configured: str, written: str) -> None:
    assert f"Endpoint = {written}\n" in text(endpoint=configured)


@pytest.mark.parametrize("configured", ["", "https://vpn.example", "vpn.example:none", "two words"])
def test_without_an_endpoint_it_is_said_what_to_set(configured: str) -> None:
    with pytest.raises(TunnelError, match="set it to the host name"):
        text(endpoint=configured)


def test_an_adopted_file_is_given_as_it_was_found() -> None:
    original = "\ufeff[interface]\r\n# Jos\u00e9's\r\nprivatekey=...\r\n"
    assert text(material={"text": original}) == original


def test_a_peer_without_a_preshared_key_has_none_in_its_file() -> None:
    assert "PresharedKey" not in text(material={"private": PRIVATE})
