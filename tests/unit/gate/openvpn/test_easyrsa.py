"""A certificate authority that easy-rsa made is adopted."""

import traceback
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

import pytest

from chatsubo.config import Secret
from chatsubo.gate.errors import StateError
from chatsubo.gate.openvpn.easyrsa import read_existing
from tests.easyrsa import PASSPHRASE, EasyRsa
from tests.unit.gate.openvpn.bench import Clock


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> EasyRsa:
    return EasyRsa(tmp_path_factory.mktemp("adopted") / "pki")


def _read(pki: EasyRsa, passphrase: str | None = PASSPHRASE) -> object:
    return read_existing(pki.folder, Secret(passphrase) if passphrase else None, Clock())


def test_clients_and_the_name_of_the_server_are_found(tmp_path: Path) -> None:
    pki = EasyRsa(tmp_path / "pki")
    pki.issue("vpn.example", server=True)
    pki.issue("alice")
    pki.issue("bob.b@example")
    (pki.folder / "private" / "alice.key").unlink()
    found = read_existing(pki.folder, Secret(PASSPHRASE), Clock())
    assert {one.name: one.key is not None for one in found.clients} == {"alice": False, "bob.b@example": True}
    assert {one.name: one.serial for one in found.clients}["alice"] == pki.serial("alice")
    assert found.server == "vpn.example"
    assert found.authority.ends == datetime(2046, 1, 1, tzinfo=UTC)
    assert found.rejected == ()


def test_a_certificate_that_cannot_go_on_is_told_with_its_reason(tmp_path: Path) -> None:
    pki = EasyRsa(tmp_path / "pki")
    pki.issue("gone")
    pki.revoke(["gone"])
    pki.issue("late", ends=datetime(2026, 1, 1, tzinfo=UTC))
    pki.issue("../etc", file="dots")
    pki.issue("DEFAULT")
    EasyRsa(tmp_path / "other").issue("stranger")
    stranger = (tmp_path / "other" / "issued" / "stranger.crt").read_text()
    (pki.folder / "issued" / "stranger.crt").write_text(stranger)
    (pki.folder / "issued" / "half.crt").write_text(stranger[:300])
    found = read_existing(pki.folder, Secret(PASSPHRASE), Clock())
    assert found.clients == ()
    assert found.revoked == {pki.serial("gone")}
    assert dict(found.rejected) == {
        "gone.crt": "was revoked",
        "late.crt": "has expired",
        "dots.crt": "has the common name '../etc', which cannot be the name of a file",
        "DEFAULT.crt": "has the common name 'DEFAULT', which cannot be the name of a file",
        "stranger.crt": "is not of this authority",
        "half.crt": "is damaged",
    }


def test_of_two_certificates_of_one_name_there_is_one_client(tmp_path: Path) -> None:
    pki = EasyRsa(tmp_path / "pki", passphrase=None)
    pki.issue("alice")
    pki.issue("alice", file="alice-again")
    assert [one.name for one in read_existing(pki.folder, None, Clock()).clients] == ["alice"]


def test_static_keys_are_found_without_their_comments(tmp_path: Path) -> None:
    pki = EasyRsa(tmp_path / "pki", passphrase=None)
    pki.static_key("ta.key")
    found = read_existing(pki.folder, None, Clock())
    assert found.tls_auth is not None
    assert found.tls_auth.reveal().startswith("-----BEGIN OpenVPN Static key V1-----\n")
    assert found.tls_crypt is None
    (pki.folder / "tc.key").write_text("half")
    with pytest.raises(StateError, match=r"tc.key is no static key of OpenVPN"):
        read_existing(pki.folder, None, Clock())


def test_a_wrong_passphrase_is_told_and_not_shown(pki: EasyRsa) -> None:
    wrong = token_hex(8)
    with pytest.raises(StateError, match=r"`ca_pass` does not open .*ca\.key") as caught:
        _read(pki, wrong)
    assert wrong not in "".join(traceback.format_exception(caught.value))


def test_a_missing_passphrase_is_asked_for(pki: EasyRsa) -> None:
    with pytest.raises(StateError, match=r"ca.key is encrypted: set `ca_pass`"):
        _read(pki, None)


def test_a_passphrase_for_a_key_that_has_none_is_no_trouble(tmp_path: Path) -> None:
    _read(EasyRsa(tmp_path / "pki", passphrase=None), "whatever")


@pytest.mark.parametrize("name", ["ca.crt", "private/ca.key"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    pki = EasyRsa(tmp_path / "pki")
    (pki.folder / name).unlink()
    with pytest.raises(StateError, match=f"{name} is missing"):
        _read(pki)


@pytest.mark.parametrize("name", ["ca.crt", "private/ca.key"])
def test_a_half_written_authority_is_not_taken(tmp_path: Path, name: str) -> None:
    pki = EasyRsa(tmp_path / "pki", passphrase=None)
    path = pki.folder / name
    path.write_text(path.read_text()[:300])
    with pytest.raises(StateError, match=name):
        _read(pki, None)


def test_an_expired_authority_says_so(tmp_path: Path) -> None:
    pki = EasyRsa(tmp_path / "pki", ends=datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(StateError, match=r"ca.crt expired on 2026-03-01"):
        _read(pki)
