"""A certificate authority in a folder as easy-rsa makes it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PASSPHRASE = "correct horse"
_AUTHORITY = x509.BasicConstraints(True, None)
_PREAMBLE = "Certificate:\n    Data:\n        Version: 3 (0x2)\n"


class EasyRsa:
    """The folder, with an RSA authority.

    Args:
        folder: Where.
        passphrase: Encrypts the authority's key; None leaves it as it is.
        ends: When the authority expires.
    """

    def __init__(
        self, folder: Path, passphrase: str | None = PASSPHRASE, ends: datetime = datetime(2046, 1, 1, tzinfo=UTC)
    ) -> None:
        self.folder, self._ends = folder, ends
        for name in ("private", "issued"):
            (folder / name).mkdir(parents=True)
        self._key = rsa.generate_private_key(65537, 2048)
        self.certificate = self._signed("Easy-RSA CA", self._key.public_key(), _AUTHORITY, _usage(signs=True))
        (folder / "ca.crt").write_bytes(pem(self.certificate))
        (folder / "private" / "ca.key").write_bytes(key_pem(self._key, passphrase))

    def issue(self, name: str, *, server: bool = False, file: str | None = None, ends: datetime | None = None) -> str:
        """Give a client a certificate and a key; return the files' text."""
        key = rsa.generate_private_key(65537, 2048)
        use = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        extensions = (x509.BasicConstraints(False, None), x509.ExtendedKeyUsage([use]), _usage(signs=False))
        certificate = self._signed(name, key.public_key(), *extensions, ends=ends)
        (self.folder / "issued" / f"{file or name}.crt").write_bytes(_PREAMBLE.encode() + pem(certificate))
        (self.folder / "private" / f"{file or name}.key").write_bytes(key_pem(key, None))
        return (pem(certificate) + key_pem(key, None)).decode()

    def revoke(self, names: Sequence[str]) -> None:
        """Put clients on the list of those that were revoked."""
        moment = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(moment).next_update(moment + timedelta(days=180))
        for name in names:
            revoked = x509.RevokedCertificateBuilder().serial_number(self.serial(name)).revocation_date(moment)
            builder = builder.add_revoked_certificate(revoked.build())
        text = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        (self.folder / "crl.pem").write_bytes(text)

    def serial(self, name: str) -> int:
        """Return the serial number of a certificate."""
        text = (self.folder / "issued" / f"{name}.crt").read_bytes()
        return x509.load_pem_x509_certificate(text).serial_number

    def static_key(self, file: str) -> str:
        """Make a static key, and return the file's text."""
        body = "\n".join(token_hex(16) for _ in range(16))
        text = f"#\n# 2048 bit OpenVPN static key\n#\n-----BEGIN OpenVPN Static key V1-----\n{body}\n"
        (self.folder / file).write_text(f"{text}-----END OpenVPN Static key V1-----\n")
        return (self.folder / file).read_text()

    def _signed(
        self, name: str, key: rsa.RSAPublicKey, *extensions: x509.ExtensionType, ends: datetime | None = None
    ) -> x509.Certificate:
        issuer = "Easy-RSA CA"
        builder = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(issuer)).public_key(key)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_after(ends or self._ends)
        builder = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: rsa.RSAPrivateKey, passphrase: str | None) -> bytes:
    how: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        how = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
