"""The gate's certificate authority."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from chatsubo.gate.errors import StateError
from chatsubo.gate.openvpn.authority import Authority, Credential, common_name
from tests.unit.gate.openvpn.bench import NOW, Clock


def _certificate(made: Credential) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.certificate.encode())


def test_an_authority_lasts_ten_years_and_signs_certificates_and_lists_only() -> None:
    made = Authority.new("Gate", Clock()).certificate
    assert made.not_valid_after_utc - NOW > timedelta(days=3650)
    usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.key_encipherment) == (True, True, False)
    assert isinstance(made.public_key(), ec.EllipticCurvePublicKey)


def test_what_was_written_is_the_same_authority_again() -> None:
    authority = Authority.new("Gate", Clock())
    again = Authority.parse(authority.dump(), Clock())
    assert again.pem == authority.pem
    assert again.signed(_certificate(authority.client("a")))


@pytest.mark.parametrize("part", [0.0, 0.3, 0.7, 0.99])
def test_a_half_written_authority_is_not_taken(part: float) -> None:
    text = Authority.new("Gate", Clock()).dump()
    with pytest.raises(ValueError, match=r"\S"):
        Authority.parse(text[: int(len(text) * part)])


def test_the_key_of_another_authority_is_not_taken() -> None:
    one, other = Authority.new("Gate", Clock()), Authority.new("Gate", Clock())
    mixed = one.pem + other.dump().removeprefix(other.pem)
    with pytest.raises(ValueError, match="the key is not the certificate's"):
        Authority.parse(mixed)


def test_a_client_gets_a_certificate_for_clients_and_a_server_one_for_servers() -> None:
    authority = Authority.new("Gate", Clock())
    uses = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}
    for made, use in ((authority.client("client"), uses["client"]), (authority.server("server"), uses["server"])):
        certificate = _certificate(made)
        assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [use]
        assert certificate.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
        assert common_name(certificate) in uses
        assert certificate.serial_number == made.serial
        assert authority.signed(certificate)


def test_a_clock_that_is_an_hour_off_finds_a_new_certificate_valid() -> None:
    authority = Authority.new("Gate", Clock())
    for certificate in (authority.certificate, _certificate(authority.client("a"))):
        assert certificate.not_valid_before_utc < NOW - timedelta(hours=1)
        assert certificate.not_valid_after_utc > NOW + timedelta(hours=1)


def test_no_certificate_is_valid_longer_than_its_authority_or_before_it() -> None:
    clock = Clock()
    authority = Authority.new("Gate", clock)
    clock.pass_days(3000)
    late = _certificate(authority.client("a"))
    assert late.not_valid_after_utc == authority.ends
    clock.pass_days(-3001)
    assert _certificate(authority.client("a")).not_valid_before_utc == authority.certificate.not_valid_before_utc


def test_an_expired_authority_says_when_and_what_to_do() -> None:
    clock = Clock()
    authority = Authority.new("Gate", clock)
    authority.check("/x/authority.pem")
    clock.pass_days(3654)
    with pytest.raises(StateError, match=r"/x/authority.pem expired on 2036-11-2\d.* move it away"):
        authority.check("/x/authority.pem")


def test_a_clock_before_the_authority_is_told_to_be_set() -> None:
    clock = Clock()
    authority = Authority.new("Gate", clock)
    clock.pass_days(-2)
    with pytest.raises(StateError, match=r"\(2026-11-21\): set the clock"):
        authority.check("/x/authority.pem")


def test_the_certificate_of_another_authority_of_the_same_name_was_not_signed() -> None:
    assert not Authority.new("Gate", Clock()).signed(_certificate(Authority.new("Gate", Clock()).client("a")))


def test_a_credential_shows_no_key() -> None:
    made = Authority.new("Gate", Clock()).client("a")
    assert "PRIVATE" not in repr(made)
