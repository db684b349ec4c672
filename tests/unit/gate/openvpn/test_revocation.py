"""The list of revoked certificates."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from chatsubo.gate.errors import StateError
from chatsubo.gate.openvpn.authority import Authority
from chatsubo.gate.openvpn.revocation import Revocations, read_list
from tests.unit.gate.openvpn.bench import Clock


def _written(path: Path) -> set[int]:
    return {one.serial_number for one in read_list(path) or ()}


def test_a_list_is_written_at_the_first_change_even_if_nobody_is_on_it(tmp_path: Path) -> None:
    authority = Authority.new("Gate", Clock())
    Revocations(tmp_path / "crl.pem", authority, clock=Clock()).change()
    found = read_list(tmp_path / "crl.pem")
    assert found is not None
    assert authority.signed_list(found)
    assert _written(tmp_path / "crl.pem") == set()


def test_what_was_revoked_stays_so_for_the_next_gate_and_can_be_taken_back(tmp_path: Path) -> None:
    path, authority = tmp_path / "crl.pem", Authority.new("Gate", Clock())
    Revocations(path, authority, clock=Clock()).change(revoked=[1, 2, 3])
    later = Revocations(path, authority, clock=Clock())
    later.change(revoked=[4], valid=[2])
    assert _written(path) == {1, 3, 4} == set(later.serials)


def test_a_change_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    path, authority = tmp_path / "crl.pem", Authority.new("Gate", Clock())
    held = Revocations(path, authority, clock=Clock())
    held.change(revoked=[1])
    before = path.stat().st_ino, path.stat().st_mtime_ns
    held.change(revoked=[1], valid=[2])
    Revocations(path, authority, clock=Clock()).change(revoked=[1])
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before


def test_a_list_that_ends_soon_is_written_anew(tmp_path: Path) -> None:
    path, clock = tmp_path / "crl.pem", Clock()
    authority = Authority.new("Gate", clock)
    Revocations(path, authority, clock=clock).change(revoked=[1])
    longer = Authority(_prolonged(authority, clock), authority._key, clock)
    clock.pass_days(3400)
    Revocations(path, longer, clock=clock).change()
    found = read_list(path)
    assert found is not None
    assert found.next_update_utc == longer.ends
    assert _written(path) == {1}


def test_a_list_is_valid_as_long_as_its_authority_and_an_hour_ago(tmp_path: Path) -> None:
    clock = Clock()
    authority = Authority.new("Gate", clock)
    Revocations(tmp_path / "crl.pem", authority, clock=clock).change()
    found = read_list(tmp_path / "crl.pem")
    assert found is not None
    assert found.next_update_utc == authority.ends
    assert (clock.now - found.last_update_utc).total_seconds() >= 3600


def test_what_was_revoked_elsewhere_stays_out_whatever_is_said(tmp_path: Path) -> None:
    path, authority = tmp_path / "crl.pem", Authority.new("Gate", Clock())
    Revocations(path, authority, [7], Clock()).change(valid=[7])
    assert _written(path) == {7}


def test_a_half_written_list_is_not_taken(tmp_path: Path) -> None:
    path, authority = tmp_path / "crl.pem", Authority.new("Gate", Clock())
    Revocations(path, authority, clock=Clock()).change(revoked=[1])
    path.write_text(path.read_text()[:200])
    with pytest.raises(StateError, match=r"crl.pem is damaged: .* or remove it"):
        Revocations(path, authority, clock=Clock())


def test_the_list_of_another_authority_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "crl.pem"
    Revocations(path, Authority.new("Old", Clock()), clock=Clock()).change(revoked=[1])
    authority = Authority.new("New", Clock())
    Revocations(path, authority, clock=Clock()).change()
    found = read_list(path)
    assert found is not None
    assert authority.signed_list(found)
    assert _written(path) == set()


def _prolonged(authority: Authority, clock: Clock) -> x509.Certificate:

    old = authority.certificate
    builder = x509.CertificateBuilder(old.issuer, old.subject, old.public_key(), old.serial_number)
    builder = builder.not_valid_before(old.not_valid_before_utc).not_valid_after(clock.now + timedelta(days=9000))
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(authority._key, hashes.SHA256())
