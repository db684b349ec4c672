"""OpenVPN as the gate's tunnel, where there is no OpenVPN: what it keeps in its files."""

import os
import re
from pathlib import Path

import pytest
from cryptography import x509

from chatsubo.gate.errors import StateError, TunnelError
from chatsubo.gate.openvpn import OpenVPNTunnel, server
from chatsubo.gate.openvpn.revocation import read_list
from tests.easyrsa import EasyRsa
from tests.unit.gate.openvpn.bench import Clock, gate_file, new_peer


@pytest.fixture
def tunnel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenVPNTunnel:
    """One on a machine without OpenVPN."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "tun").touch()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(server, "_SYSTEM_PATH", "")
    monkeypatch.setattr(server, "TUN", tmp_path / "tun")
    return OpenVPNTunnel(gate_file(tmp_path), Clock())


def _admitted(folder: Path) -> set[str]:
    return {path.name for path in (folder / "openvpn" / "ccd").iterdir()}


def _revoked(folder: Path) -> set[str]:
    found: x509.CertificateRevocationList | None = read_list(folder / "openvpn" / "crl.pem")
    return {f"{one.serial_number:x}" for one in found or ()}


async def test_where_openvpn_is_missing_the_error_says_how_to_install_it(tunnel: OpenVPNTunnel) -> None:
    with pytest.raises(TunnelError, match="there is no openvpn on this machine: install it"):
        await tunnel.up([])


async def test_where_there_is_no_tun_device_the_error_says_how_to_get_one(
    tunnel: OpenVPNTunnel, tmp_path: Path
) -> None:
    (tmp_path / "tun").unlink()
    with pytest.raises(TunnelError, match=r"there is no TUN device of use .* `modprobe tun`"):
        await tunnel.up([])


async def test_where_the_state_folder_is_too_deep_for_a_socket_the_error_says_so(
    tunnel: OpenVPNTunnel, tmp_path: Path
) -> None:
    deep = OpenVPNTunnel(gate_file(tmp_path / ("x" * 100)), Clock())
    with pytest.raises(TunnelError, match="set `state` to a shorter folder"):
        await deep.up([])


async def test_without_a_server_peers_are_admitted_and_expelled_for_when_it_comes(
    tunnel: OpenVPNTunnel, tmp_path: Path
) -> None:
    peers = [new_peer(tunnel, number) for number in (1, 2, 3)]
    with pytest.raises(TunnelError):
        await tunnel.up(peers[:2])
    assert _admitted(tmp_path) == {peers[0].uid, peers[1].uid}
    await tunnel.admit(peers)
    await tunnel.expel(peers[:1])
    assert _admitted(tmp_path) == {peers[1].uid, peers[2].uid}
    assert _revoked(tmp_path) == {peers[0].keys.public}


async def test_one_who_is_admitted_again_is_revoked_no_more(tunnel: OpenVPNTunnel, tmp_path: Path) -> None:
    peer = new_peer(tunnel, 1)
    with pytest.raises(TunnelError):
        await tunnel.up([peer])
    await tunnel.expel([peer])
    await tunnel.expel([peer])
    await tunnel.admit([peer])
    assert (_admitted(tmp_path), _revoked(tmp_path)) == ({peer.uid}, set())


async def test_who_went_while_no_gate_was_there_is_revoked_by_the_next(tunnel: OpenVPNTunnel, tmp_path: Path) -> None:
    peers = [new_peer(tunnel, number) for number in (1, 2)]
    with pytest.raises(TunnelError):
        await tunnel.up(peers)
    later = OpenVPNTunnel(gate_file(tmp_path), Clock())
    with pytest.raises(TunnelError):
        await later.up(peers[1:])
    assert (_admitted(tmp_path), _revoked(tmp_path)) == ({peers[1].uid}, {peers[0].keys.public})


async def test_a_log_that_grew_too_long_begins_anew(tunnel: OpenVPNTunnel, tmp_path: Path) -> None:
    with pytest.raises(TunnelError):
        await tunnel.up([])
    log = tmp_path / "openvpn" / "server.log"
    for size, left in ((16 * 2**20, 16 * 2**20), (16 * 2**20 + 1, 0)):
        log.touch()
        os.truncate(log, size)
        with pytest.raises(TunnelError):
            await tunnel.up([])
        assert log.stat().st_size == left


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ERROR: Cannot open TUN/TAP dev /dev/net/tun: No such file or directory (errno=2)", "no TUN device of use"),
        ("ERROR: Cannot ioctl TUNSETIFF chatsubo0: Device or resource busy (errno=16)", "chatsubo0 is there already"),
        ("ERROR: Cannot ioctl TUNSETIFF chatsubo0: Operation not permitted (errno=1)", "the gate has to run as root"),
        (
            "TCP/UDP: Socket bind failed on local address [undef]: Address already in use (errno=98)",
            "port 1194 is taken",
        ),
        ("Options error: something new", "OpenVPN does not start: Options error: something new | Exiting"),
        ("", "OpenVPN does not start: Exiting"),
    ],
)
async def test_what_openvpn_says_when_it_gives_up_becomes_a_remedy(
    tunnel: OpenVPNTunnel, tmp_path: Path, said: str, told: str
) -> None:
    program = tmp_path / "bin" / "openvpn"
    program.write_text(
        f"#!/bin/sh\nprintf '%s\\n' '{said}' 'Exiting due to fatal error' >>{tmp_path}/openvpn/server.log\n"
    )
    program.chmod(0o755)
    with pytest.raises(TunnelError, match=re.escape(told)):
        await tunnel.up([])


async def test_what_openvpn_says_before_it_has_a_log_is_told(tunnel: OpenVPNTunnel, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "openvpn"
    program.write_text("#!/bin/sh\necho 'Options error: unknown'\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(TunnelError, match="OpenVPN does not start: Options error: unknown"):
        await tunnel.up([])


async def test_without_a_server_nobody_is_connected_and_that_is_told(tunnel: OpenVPNTunnel) -> None:
    with pytest.raises(TunnelError, match="OpenVPN does not run"):
        await tunnel.connections()


def test_certificates_that_are_not_adopted_are_told_with_their_reasons(tunnel: OpenVPNTunnel, tmp_path: Path) -> None:
    assert (dict(tunnel.adopted()), list(tunnel.not_adopted())) == ({}, [])
    pki = EasyRsa(tmp_path / "pki", passphrase=None)
    pki.issue("DEFAULT", file="odd")
    adopting = OpenVPNTunnel(gate_file(tmp_path / "other", pki=pki.folder), Clock())
    (file, reason), *others = adopting.not_adopted()
    assert (file, others) == ("odd.crt", [])
    assert "'DEFAULT'" in reason


async def test_taking_down_what_is_down_is_no_trouble(tunnel: OpenVPNTunnel) -> None:
    await tunnel.down()


async def test_a_half_written_file_stops_it_before_the_server_starts(tunnel: OpenVPNTunnel, tmp_path: Path) -> None:
    tunnel.issue("a", new_peer(tunnel, 1).addresses)
    path = tmp_path / "openvpn" / "authority.pem"
    path.write_text(path.read_text()[:100])
    with pytest.raises(StateError, match=r"authority.pem is damaged"):
        await OpenVPNTunnel(gate_file(tmp_path), Clock()).up([])


async def test_a_full_disk_is_told_with_the_file(
    tunnel: OpenVPNTunnel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = new_peer(tunnel, 1)
    with pytest.raises(TunnelError):
        await tunnel.up([])
    (tmp_path / "openvpn" / "drafts").rmdir()
    with pytest.raises(TunnelError, match=r"drafts/client: No such file or directory; free some space"):
        await tunnel.admit([peer])
