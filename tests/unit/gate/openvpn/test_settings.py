"""The server's configuration and the clients' files."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from chatsubo.config import Secret
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.model import Keys
from chatsubo.gate.openvpn import OpenVPNTunnel
from chatsubo.gate.openvpn.client import routes
from chatsubo.gate.openvpn.keyring import Keyring
from chatsubo.gate.openvpn.settings import Places, server_text
from tests.easyrsa import EasyRsa
from tests.unit.gate.openvpn.bench import Clock, gate_file, new_peer


def _server(folder: Path, **more: object) -> list[str]:
    config = gate_file(folder, **more)
    return server_text(config, Places(folder), Keyring(config, folder, Clock())).splitlines()


def test_the_server_lets_nobody_in_who_is_not_named_and_hands_out_no_address(tmp_path: Path) -> None:
    lines = _server(tmp_path)
    assert {"ccd-exclusive", "remote-cert-tls client", "topology subnet", "dh none", "tls-version-min 1.2"} <= set(
        lines
    )
    assert "server 10.66.0.0 255.255.0.0 nopool" in lines
    assert "ifconfig-ipv6 fd00:66::1/64 fd00:66::2" in lines
    assert not [line for line in lines if line.startswith(("client-to-client", "duplicate-cn", 'push "route'))]


def test_the_server_has_no_ipv6_in_the_tunnel_where_the_gate_has_none(tmp_path: Path) -> None:
    assert not [line for line in _server(tmp_path, subnet6=None) if line.startswith(("ifconfig-ipv6", "push"))]


def test_a_server_for_an_ipv4_address_listens_on_ipv4_and_any_other_on_both(tmp_path: Path) -> None:
    assert "proto udp4" in _server(tmp_path, endpoint="198.51.100.1:1194")
    if Path("/proc/net/if_inet6").exists():
        for name in ("gate.example", "[2001:db8::1]:1194", "2001:db8::1"):
            assert "proto udp6" in _server(tmp_path, endpoint=name)


def test_a_folder_with_quotes_and_spaces_stays_one_word(tmp_path: Path) -> None:
    folder = tmp_path / 'a "b" c\\d'
    assert f'crl-verify "{tmp_path}/a \\"b\\" c\\\\d/crl.pem"' in _server(folder)


def test_the_same_gate_has_the_same_configuration_again(tmp_path: Path) -> None:
    assert _server(tmp_path) == _server(tmp_path)
    assert _server(tmp_path) != _server(tmp_path, mtu=1400)


def test_clients_of_old_find_the_static_key_and_the_routes_that_they_are_used_to(tmp_path: Path) -> None:
    pki = EasyRsa(tmp_path / "pki", passphrase=None)
    pki.static_key("ta.key")
    lines = _server(tmp_path / "state", pki=pki.folder)
    assert {"key-direction 0", "<tls-auth>", "<tls-crypt-v2>"} <= set(lines)
    assert 'push "route 172.30.0.0 255.255.255.0"' in lines
    assert "<tls-crypt>" not in lines


def test_routes_are_those_of_the_realm() -> None:
    assert routes(("172.30.0.0/24", "fd00:30::/64")) == ["route 172.30.0.0 255.255.255.0", "route-ipv6 fd00:30::/64"]


def test_a_clients_file_takes_no_route_from_the_server(tmp_path: Path) -> None:
    tunnel = OpenVPNTunnel(gate_file(tmp_path, endpoint="gate.example:1195"), Clock())
    lines = tunnel.client_file(new_peer(tunnel, 1)).splitlines()
    assert {"remote gate.example 1195", "proto udp", "route-nopull", "nobind", "auth-nocache", "persist-tun"} <= set(
        lines
    )
    assert {"verify-x509-name chatsubo-gate name", "remote-cert-tls server", "route-gateway 10.66.0.1"} <= set(lines)
    assert [line for line in lines if line.startswith("route ")] == ["route 172.30.0.0 255.255.255.0"]
    for tag in ("ca", "cert", "key", "tls-crypt-v2"):
        assert lines.index(f"<{tag}>") < lines.index(f"</{tag}>")


def test_a_client_of_an_ipv6_endpoint_is_told_so(tmp_path: Path) -> None:
    tunnel = OpenVPNTunnel(gate_file(tmp_path, endpoint="[2001:db8::1]"), Clock())
    assert {"remote 2001:db8::1 1194", "proto udp6"} <= set(tunnel.client_file(new_peer(tunnel, 1)).splitlines())


def test_without_an_endpoint_there_is_no_clients_file(tmp_path: Path) -> None:
    tunnel = OpenVPNTunnel(gate_file(tmp_path, endpoint=""), Clock())
    with pytest.raises(TunnelError, match="set `endpoint`"):
        tunnel.client_file(new_peer(tunnel, 1))


def test_an_adopted_client_whose_key_is_elsewhere_is_told_to_get_a_new_access(tmp_path: Path) -> None:
    pki = EasyRsa(tmp_path / "pki", passphrase=None)
    pki.issue("alice")
    (pki.folder / "private" / "alice.key").unlink()
    tunnel = OpenVPNTunnel(gate_file(tmp_path / "state", pki=pki.folder), Clock())
    peer = replace(new_peer(tunnel, 1), keys=tunnel.adopted()["alice"])
    with pytest.raises(TunnelError, match="the private key of alice is not on the gate"):
        tunnel.client_file(peer)


def test_the_configurations_show_no_secret_when_keys_are_not_openvpns(tmp_path: Path) -> None:
    tunnel = OpenVPNTunnel(gate_file(tmp_path), Clock())
    broken = replace(new_peer(tunnel, 1), keys=Keys(public="1", material=Secret("s3cret")))
    with pytest.raises(Exception, match="none of OpenVPN's") as caught:
        tunnel.client_file(broken)
    assert "s3cret" not in str(caught.value)
