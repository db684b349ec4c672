"""A certificate authority, which signs the server's certificate, the players', and the list of revoked ones."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from chatsubo.domain.clock import Clock, utc_now
from chatsubo.gate.errors import StateError
from chatsubo.gate.openvpn.files import pem_blocks

LIFE = timedelta(days=3653)
"""How long a new authority lasts: ten years."""
SOON = timedelta(days=365)
"""What ends within this time is made anew, if its authority lasts longer."""
_BACK = timedelta(days=1)  # a clock that is some hours off finds the certificate valid all the same
_WITH_THEIR_OWN_HASH = (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)
_SIGNERS = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, *_WITH_THEIR_OWN_HASH)
_CLIENT_USES = (ExtendedKeyUsageOID.CLIENT_AUTH,)
_SERVER_USES = (ExtendedKeyUsageOID.SERVER_AUTH,)


class Credential(Struct, frozen=True, kw_only=True):
    """A certificate with its key.

    Attributes:
        serial: The certificate's serial number.
        certificate: The certificate, PEM.
        key: Its private key, PEM, in the clear: mind where it goes.
    """

    serial: int
    certificate: str
    key: str

    def __repr__(self) -> str:
        return f"Credential(serial={self.serial:x})"


class Authority:
    """A certificate authority. It computes only.

    Args:
        certificate: Its certificate.
        key: Its private key.
        clock: The time of day.

    Raises:
        ValueError: The key is not the certificate's, or the certificate is no authority's.
    """

    def __init__(
        self, certificate: x509.Certificate, key: CertificateIssuerPrivateKeyTypes, clock: Clock = utc_now
    ) -> None:
        if certificate.public_key() != key.public_key():
            raise ValueError("the key is not the certificate's")
        if not _is_authority(certificate):
            raise ValueError("the certificate is no authority's")
        self.certificate = certificate
        self._key, self._clock = key, clock
        self._hash = None if isinstance(key, _WITH_THEIR_OWN_HASH) else hashes.SHA256()
        self.pem = certificate.public_bytes(serialization.Encoding.PEM).decode()

    @classmethod
    def new(cls, name: str, clock: Clock = utc_now) -> "Authority":
        """Return a new one for ten years.

        Args:
            name: What its certificate calls it.
            clock: The time of day.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, key.public_key(), _name(name), clock() - _BACK, clock() + LIFE)
        usage = _key_usage(digital_signature=True, key_cert_sign=True, crl_sign=True)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(usage, critical=True)
        return cls(builder.sign(key, hashes.SHA256()), key, clock)

    @classmethod
    def parse(cls, text: str, clock: Clock = utc_now) -> "Authority":
        """Return the one that :meth:`dump` wrote.

        Raises:
            ValueError: It is damaged.
        """
        blocks = pem_blocks(text)
        if not {"CERTIFICATE", "PRIVATE KEY"} <= blocks.keys():
            raise ValueError("it is not whole")
        key = serialization.load_pem_private_key(blocks["PRIVATE KEY"].encode(), None)
        certificate = x509.load_pem_x509_certificate(blocks["CERTIFICATE"].encode())
        return cls(certificate, can_sign(key), clock)

    def dump(self) -> str:
        """Return the certificate and the key in one text, the key in the clear."""
        return self.pem + _key_pem(self._key)

    @property
    def ends(self) -> datetime:
        """When it expires; everything that it signs ends then."""
        return self.certificate.not_valid_after_utc

    def check(self, where: str) -> None:
        """See that the authority is valid now.

        Args:
            where: Its file, for the error.

        Raises:
            StateError: It has expired, or is not valid yet.
        """
        now = self._clock()
        if now >= self.ends:
            raise StateError(
                f"the certificate authority in {where} expired on {self.ends:%Y-%m-%d}, and no client takes it now: "
                "move it away, and the gate makes a new one; every player then needs a new access"
            )
        if now < self.certificate.not_valid_before_utc:
            raise StateError(
                f"the certificate authority in {where} was made later than this machine's clock says it is "
                f"({now:%Y-%m-%d}): set the clock"
            )

    def client(self, name: str) -> Credential:
        """Return a new certificate for a client, valid as long as the authority.

        Args:
            name: Its common name.
        """
        return self._issued(name, _CLIENT_USES)

    def server(self, name: str) -> Credential:
        """Return a new certificate for a server, likewise."""
        return self._issued(name, _SERVER_USES)

    def signed(self, certificate: x509.Certificate) -> bool:
        """Return whether the authority signed a certificate."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def lasts(self, end: datetime | None) -> bool:
        """Return whether something that ends then need not be made anew yet."""
        return end is not None and end > min(self._clock() + SOON, self.ends - _BACK)

    def revocations(self, revoked: Iterable[x509.RevokedCertificate]) -> str:
        """Return a list of revoked certificates, PEM, valid as long as the authority."""
        # All at once: added one by one, the builder copies the whole list each time, half a second for 10,000.
        builder = x509.CertificateRevocationListBuilder(revoked_certificates=list(revoked))
        builder = builder.issuer_name(self.certificate.subject)
        builder = builder.last_update(self._clock() - _BACK).next_update(self.ends)
        return builder.sign(self._key, self._hash).public_bytes(serialization.Encoding.PEM).decode()

    def signed_list(self, found: x509.CertificateRevocationList) -> bool:
        """Return whether the authority signed a list of revoked certificates."""
        key = self.certificate.public_key()
        return found.issuer == self.certificate.subject and found.is_signature_valid(key)  # type: ignore[arg-type]

    def _issued(self, name: str, uses: tuple[x509.ObjectIdentifier, ...]) -> Credential:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate
        start = max(self._clock() - _BACK, issuer.not_valid_before_utc)
        builder = _builder(name, key.public_key(), issuer.subject, start, self.ends)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(digital_signature=True), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        certificate = builder.sign(self._key, self._hash)
        pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        return Credential(serial=certificate.serial_number, certificate=pem, key=_key_pem(key))


def can_sign(key: object) -> CertificateIssuerPrivateKeyTypes:
    """Return a key, if certificates can be signed with it.

    Raises:
        ValueError: They cannot.
    """
    if isinstance(key, _SIGNERS):
        return key
    raise ValueError("certificates cannot be signed with such a key")


def common_name(certificate: x509.Certificate) -> str:
    """Return a certificate's common name; empty where it has none."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[-1].value) if found else ""


def _builder(
    name: str, key: ec.EllipticCurvePublicKey, issuer: x509.Name, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(*, digital_signature: bool, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: CertificateIssuerPrivateKeyTypes) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
