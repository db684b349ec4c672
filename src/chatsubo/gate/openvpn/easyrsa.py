"""A certificate authority that easy-rsa made, with the clients it knows: they go on working.

Its folder (easy-rsa 3, and what is commonly put beside it): ``ca.crt``, ``private/ca.key`` (mostly encrypted),
``issued/NAME.crt``, ``private/NAME.key``, ``crl.pem``, ``ta.key`` (``tls-auth``) or ``tc.key`` (``tls-crypt``). It is
only read; easy-rsa itself is not needed.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from msgspec import Struct

from chatsubo.config import Secret
from chatsubo.domain.clock import Clock, utc_now
from chatsubo.gate.errors import StateError
from chatsubo.gate.openvpn import files
from chatsubo.gate.openvpn.authority import Authority, can_sign, common_name
from chatsubo.gate.openvpn.revocation import read_list

_NAME = re.compile(r"(?!\.)(?!DEFAULT\Z)[A-Za-z0-9_.@-]{1,64}")
_STATIC_KEY = "OpenVPN Static key V1"


class Client(Struct, frozen=True, kw_only=True):
    """A client whose certificate is valid.

    Attributes:
        name: Its common name.
        serial: Its certificate's serial number.
        certificate: Its certificate, PEM.
        key: Its private key, PEM, if it is in the folder; maybe encrypted.
    """

    name: str
    serial: int
    certificate: str
    key: Secret | None


class Existing(Struct, frozen=True, kw_only=True):
    """What is in the folder.

    Attributes:
        authority: The certificate authority.
        clients: The clients whose certificates are valid.
        rejected: The names of the files in ``issued`` that are of no use here, each with the reason.
        server: The common name of the server's certificate; empty if there is none.
        revoked: The serial numbers of revoked certificates.
        tls_auth: The key of ``tls-auth``, if there is one.
        tls_crypt: The key of ``tls-crypt``, version 1, likewise.
    """

    authority: Authority
    clients: tuple[Client, ...]
    rejected: tuple[tuple[str, str], ...]
    server: str
    revoked: frozenset[int]
    tls_auth: Secret | None
    tls_crypt: Secret | None


def read_existing(folder: Path, passphrase: Secret | None, clock: Clock = utc_now) -> Existing:
    """Read a folder that easy-rsa made.

    Args:
        folder: Its ``pki`` folder.
        passphrase: Opens the authority's key; None where it is not encrypted.
        clock: The time of day.

    Raises:
        StateError: Something is missing or damaged, or the passphrase is wrong; it is not shown.
    """
    authority = _authority(folder, passphrase, clock)
    revocations = read_list(folder / "crl.pem")
    revoked = frozenset(one.serial_number for one in revocations or ())
    clients: dict[str, tuple[x509.Certificate, Client]] = {}
    rejected: list[tuple[str, str]] = []
    server = ""
    for path, certificate in _issued(folder, rejected):
        reason = _reason_against(certificate, authority, revoked, clock)
        if reason:
            rejected.append((path.name, reason))
        elif _is_for(certificate, ExtendedKeyUsageOID.SERVER_AUTH):
            server = common_name(certificate)
        else:
            one = _client(folder, path, certificate)
            earlier = clients.get(one.name)
            if earlier is None or earlier[0].not_valid_before_utc <= certificate.not_valid_before_utc:
                clients[one.name] = certificate, one
    return Existing(
        authority=authority,
        clients=tuple(one for _, one in clients.values()),
        rejected=tuple(rejected),
        server=server,
        revoked=revoked,
        tls_auth=_static_key(folder / "ta.key"),
        tls_crypt=_static_key(folder / "tc.key"),
    )


def _authority(folder: Path, passphrase: Secret | None, clock: Clock) -> Authority:
    certificate, key = folder / "ca.crt", folder / "private" / "ca.key"
    texts = files.read(certificate), files.read(key)
    for path, text in zip((certificate, key), texts, strict=True):
        if text is None:
            raise StateError(
                f"{path} is missing: `pki` has to be the folder of a certificate authority that easy-rsa made"
            )
    try:
        found = x509.load_pem_x509_certificate((texts[0] or "").encode())
        made = Authority(found, can_sign(_opened(key, texts[1] or "", passphrase)), clock)
    except ValueError as error:
        raise StateError(f"{certificate} and {key} are no certificate authority: {error}") from error
    made.check(str(certificate))
    return made


def _opened(path: Path, text: str, passphrase: Secret | None) -> PrivateKeyTypes:
    content = text.encode()
    try:
        return serialization.load_pem_private_key(content, None)
    except TypeError:  # it is encrypted
        pass
    except (ValueError, UnsupportedAlgorithm):
        raise StateError(f"{path} is damaged: put it back from a backup") from None
    if passphrase is None:
        raise StateError(f"{path} is encrypted: set `ca_pass` to its passphrase")
    try:
        return serialization.load_pem_private_key(content, passphrase.reveal().encode())
    except (ValueError, UnsupportedAlgorithm):
        raise StateError(f"`ca_pass` does not open {path}: set it to the key's passphrase") from None


def _issued(folder: Path, rejected: list[tuple[str, str]]) -> Iterator[tuple[Path, x509.Certificate]]:
    for path in sorted((folder / "issued").glob("*.crt")):
        try:
            yield path, x509.load_pem_x509_certificate((files.read(path) or "").encode())
        except ValueError:
            rejected.append((path.name, "is damaged"))


def _reason_against(certificate: x509.Certificate, authority: Authority, revoked: frozenset[int], clock: Clock) -> str:
    name = common_name(certificate)
    if not authority.signed(certificate):
        return "is not of this authority"
    if certificate.not_valid_after_utc <= clock():
        return "has expired"
    if certificate.serial_number in revoked:
        return "was revoked"
    if not _NAME.fullmatch(name):
        return f"has the common name {name!r}, which cannot be the name of a file"
    if not any(_is_for(certificate, use) for use in (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)):
        return "is neither a client's nor a server's"
    return ""


def _is_for(certificate: x509.Certificate, use: ObjectIdentifier) -> bool:
    try:
        return use in certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False


def _client(folder: Path, path: Path, certificate: x509.Certificate) -> Client:
    key = files.read(folder / "private" / f"{path.stem}.key")
    return Client(
        name=common_name(certificate),
        serial=certificate.serial_number,
        certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key=Secret(key) if key else None,
    )


def _static_key(path: Path) -> Secret | None:
    text = files.read(path)
    if text is None:
        return None
    if _STATIC_KEY not in files.pem_blocks(text):
        raise StateError(f"{path} is no static key of OpenVPN: put it back from a backup")
    return Secret(files.pem_blocks(text)[_STATIC_KEY])
