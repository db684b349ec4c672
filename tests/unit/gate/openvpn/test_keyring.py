"""What the gate and its players prove themselves with, in its files."""

from pathlib import Path

import pytest
from cryptography import x509

from chatsubo.config import Secret
from chatsubo.gate.errors import StateError
from chatsubo.gate.model import Keys
from chatsubo.gate.openvpn import keyring as keyring_module
from chatsubo.gate.openvpn.keyring import Keyring, material_of
from tests.easyrsa import PASSPHRASE, EasyRsa
from tests.unit.gate.openvpn.bench import Clock, gate_file


def _open(folder: Path, clock: Clock | None = None, **more: object) -> Keyring:
    return Keyring(gate_file(folder, **more), folder, clock or Clock())


def test_the_next_gate_finds_what_the_first_one_made(tmp_path: Path) -> None:
    first, second = _open(tmp_path), _open(tmp_path)
    assert (first.authority.pem, first.wrapping.pem) == (second.authority.pem, second.wrapping.pem)
    assert first.server() == second.server()


def test_root_alone_reads_any_of_it(tmp_path: Path) -> None:
    held = _open(tmp_path / "openvpn")
    held.server()
    held.revocations.change()
    found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "openvpn").iterdir()}
    assert found == dict.fromkeys(("authority.pem", "server.pem", "tls-crypt-v2.key", "crl.pem"), 0o600)


@pytest.mark.parametrize("name", ["authority.pem", "tls-crypt-v2.key"])
@pytest.mark.parametrize("part", [0.0, 0.5, 0.9])
def test_a_half_written_file_is_not_taken_and_not_replaced(tmp_path: Path, name: str, part: float) -> None:
    _open(tmp_path)
    path = tmp_path / name
    half = path.read_text()[: int(path.stat().st_size * part)]
    path.write_text(half)
    with pytest.raises(StateError, match=rf"{name} is damaged .*: put it back from a backup, or remove it"):
        _open(tmp_path)
    assert path.read_text() == half


def test_a_half_written_certificate_of_the_server_is_made_anew(tmp_path: Path) -> None:
    held = _open(tmp_path)
    text = held.server()
    (tmp_path / "server.pem").write_text(text[: len(text) // 2])
    assert held.server() != text
    assert held.server() == (tmp_path / "server.pem").read_text()


def test_the_servers_certificate_is_made_anew_for_another_authority(tmp_path: Path) -> None:
    first = _open(tmp_path).server()
    (tmp_path / "authority.pem").unlink()
    second = _open(tmp_path)
    assert second.server() != first
    assert second.authority.signed(x509.load_pem_x509_certificate(second.server().encode()))


def test_an_expired_authority_stops_the_gate_with_a_remedy(tmp_path: Path) -> None:
    clock = Clock()
    held = _open(tmp_path, clock)
    clock.pass_days(3660)
    for attempt in (lambda: _open(tmp_path, clock), lambda: held.issue("a"), held.server):
        with pytest.raises(StateError, match=r"authority.pem expired on 2036.*: move it away"):
            attempt()


def test_moving_an_expired_authority_away_is_enough(tmp_path: Path) -> None:
    clock = Clock()
    held = _open(tmp_path, clock)
    held.server()
    held.revocations.change(revoked=[1])
    clock.pass_days(3660)
    (tmp_path / "authority.pem").unlink()
    again = _open(tmp_path, clock)
    again.revocations.change()
    assert again.authority.signed(x509.load_pem_x509_certificate(again.server().encode()))
    assert not again.revocations.serials


def test_keys_show_no_secret(tmp_path: Path) -> None:
    keys = _open(tmp_path).issue("a" * 32)
    material = material_of(keys)
    assert material.name == "a" * 32
    assert "PRIVATE" not in f"{keys!r} {material!r}"
    assert int(keys.public, 16) == x509.load_pem_x509_certificate(material.certificate.encode()).serial_number


def test_keys_of_another_kind_are_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="the access abc are none of OpenVPN's") as caught:
        material_of(Keys(public="abc", material=Secret('{"private": "s3cret"}')))
    assert "s3cret" not in str(caught.value)


def test_an_adopted_authority_is_used_and_its_clients_are_kept(tmp_path: Path) -> None:
    pki = EasyRsa(tmp_path / "pki")
    pki.issue("vpn.example", server=True)
    pki.issue("alice")
    pki.issue("bob")
    pki.revoke(["bob"])
    held = _open(tmp_path / "state", pki=pki.folder, ca_pass=Secret(PASSPHRASE))
    assert list(held.adopted()) == ["alice"]
    assert held.adopted()["alice"].public == f"{pki.serial('alice'):x}"
    assert held.server_name == "vpn.example"
    held.revocations.change()
    assert set(held.revocations.serials) == {pki.serial("bob")}
    assert not (tmp_path / "state" / "authority.pem").exists()
    issued = x509.load_pem_x509_certificate(material_of(held.issue("x")).certificate.encode())
    issued.verify_directly_issued_by(pki.certificate)


def test_who_was_revoked_here_is_not_adopted_again(tmp_path: Path) -> None:
    pki = EasyRsa(tmp_path / "pki", passphrase=None)
    pki.issue("alice")
    pki.issue("bob")
    _open(tmp_path / "state", pki=pki.folder).revocations.change(revoked=[pki.serial("alice")])
    assert list(_open(tmp_path / "state", pki=pki.folder).adopted()) == ["bob"]


def test_a_gate_file_of_old_finds_the_authority_at_its_usual_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_module, "USUAL_PKI", tmp_path / "pki")
    with pytest.raises(StateError, match="is no folder: set `pki`"):
        _open(tmp_path / "state", ca_pass=Secret(PASSPHRASE))
    pki = EasyRsa(tmp_path / "pki")
    assert _open(tmp_path / "state", ca_pass=Secret(PASSPHRASE)).authority.certificate == pki.certificate
