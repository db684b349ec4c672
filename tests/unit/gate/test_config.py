"""The gate's own file: all that is wrong with it is told at once, each with its place."""

from pathlib import Path

import pytest

from chatsubo.config import ConfigError
from chatsubo.gate.config import load_gate

LEAST = "realm: wz01\nauth_token: secret\n"


def problems(folder: Path, text: str) -> dict[str, str]:
    """Return what is wrong with a file, by its place."""
    (folder / "gate.yml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_gate(folder / "gate.yml", {})
    return {one.path: str(one.expected) for one in raised.value.problems}


def test_a_realm_and_a_token_are_enough(tmp_path: Path) -> None:
    (tmp_path / "gate.yml").write_text(LEAST)
    assert load_gate(tmp_path / "gate.yml", {}).subnet == "10.66.0.0/16"


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        """
realm: "wz 01"
auth_token: ""
kind: ipsec
endpoint: "vpn example"
port: 70000
subnet: "fd00::/64"
subnet6: "10.0.0.0/8"
routes: ["10.0.0.0/8", "nope"]
interface: "a name that is far too long"
listen: {host: "not an address", port: 0}
expires: 5
""",
    )
    assert set(said) == {
        "realm", "auth_token", "kind", "endpoint", "port", "subnet", "subnet6", "routes.1", "interface", "listen.host",
        "listen.port", "expires",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["10.66.0.0/31", "10.66.0.1", "fd00::/64", "nonsense", ""])
def test_a_subnet_is_one_with_room_for_a_player(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, f'{LEAST}subnet: "{text}"') == {
        "subnet": "an IPv4 network of /30 or larger, as in 10.66.0.0/16"
    }


@pytest.mark.parametrize(
    ("subnets", "at", "said"),
    [
        ({"subnet": "10.0.0.0/8"}, "subnet", "a network of /16 to /29, which OpenVPN takes"),
        ({"subnet": "10.66.0.0/30"}, "subnet", "a network of /16 to /29, which OpenVPN takes"),
        ({"subnet6": "fd00::/48"}, "subnet6", "a network of /64 to /124, which OpenVPN takes"),
    ],
)
def test_a_subnet_that_openvpn_does_not_take_is_told(
    tmp_path: Path, subnets: dict[str, str], at: str, said: str
) -> None:
    lines = "".join(f'{key}: "{value}"\n' for key, value in subnets.items())
    assert problems(tmp_path, f"{LEAST}kind: openvpn\n{lines}") == {at: said}


def test_the_players_addresses_are_no_network_with_machines(tmp_path: Path) -> None:
    assert set(problems(tmp_path, f'{LEAST}routes: ["10.66.3.0/24"]')) == {"routes"}
    (tmp_path / "gate.yml").write_text(f'{LEAST}routes: ["10.0.0.0/8"]')
    assert load_gate(tmp_path / "gate.yml", {}).routes == ("10.0.0.0/8",)
