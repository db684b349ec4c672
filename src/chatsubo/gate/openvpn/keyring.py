"""What the gate and its players prove themselves with: kept below the state folder, made where it is missing."""

from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from msgspec import Struct

from chatsubo.config import Secret
from chatsubo.domain.clock import Clock, utc_now
from chatsubo.gate.config import GateConfig
from chatsubo.gate.errors import StateError
from chatsubo.gate.model import Keys
from chatsubo.gate.openvpn import files
from chatsubo.gate.openvpn.authority import Authority, common_name
from chatsubo.gate.openvpn.easyrsa import Existing, read_existing
from chatsubo.gate.openvpn.revocation import Revocations
from chatsubo.gate.openvpn.tls_crypt import WrappingKey

USUAL_PKI = Path("/etc/openvpn/pki")
"""Where a gate of old keeps its certificate authority; looked at where ``ca_pass`` is set, but not ``pki``."""
SERVER_NAME = "chatsubo-gate"
_AUTHORITY, _SERVER, _WRAPPING, _REVOKED = "authority.pem", "server.pem", "tls-crypt-v2.key", "crl.pem"

T = TypeVar("T")


class Material(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client's file is made of; :attr:`Keys.material` is this as JSON.

    Attributes:
        name: The certificate's common name.
        certificate: The certificate, PEM.
        key: Its private key, PEM; None where the gate does not have it.
        tls_crypt: The client's key for ``tls-crypt-v2``.
    """

    name: str
    certificate: str
    key: str | None
    tls_crypt: str

    def __repr__(self) -> str:
        return f"Material(name={self.name!r})"


def material_of(keys: Keys) -> Material:
    """Return what a client's file is made of.

    Raises:
        StateError: That is not what OpenVPN's clients have.
    """
    try:
        return msgspec.json.decode(keys.material.reveal(), type=Material)
    except msgspec.DecodeError:
        raise StateError(
            f"the keys of the access {keys.public} are none of OpenVPN's, or damaged: give the player a new access"
        ) from None


class Keyring:
    """The authority, and what the server proves itself with. Opening reads and writes files.

    Args:
        config: The gate's file.
        folder: Where the files are.
        clock: The time of day.

    Attributes:
        existing: The certificate authority that was adopted, if there is one.
        authority: The certificate authority.
        revocations: The certificates that were revoked.

    Raises:
        StateError: Something is damaged, has expired, or cannot be opened.
        OSError: A file cannot be written.
    """

    def __init__(self, config: GateConfig, folder: Path, clock: Clock = utc_now) -> None:
        files.make_folder(folder)
        self._folder, self._clock = folder, clock
        self.existing = _existing(config, clock)
        self._where = str((config.pki or USUAL_PKI) / "ca.crt" if self.existing else folder / _AUTHORITY)
        self.authority = self.existing.authority if self.existing else self._own_authority()
        known = self.existing.revoked if self.existing else ()
        self.revocations = Revocations(folder / _REVOKED, self.authority, known, clock)
        self.wrapping = self._kept(_WRAPPING, WrappingKey, lambda: WrappingKey.new().pem)
        self.server_name = (self.existing.server if self.existing else "") or SERVER_NAME

    def issue(self, uid: str) -> Keys:
        """Return new keys for a client.

        Args:
            uid: The common name of its certificate.

        Raises:
            StateError: The authority is not valid now.
        """
        self.authority.check(self._where)
        made = self.authority.client(uid)
        return self._keys(uid, made.serial, made.certificate, made.key)

    def adopted(self) -> dict[str, Keys]:
        """Return the keys of the clients that the adopted authority knows, by their common names.

        Who was revoked here is left out: easy-rsa's own list does not know that.
        """
        known = self.existing.clients if self.existing else ()
        found = [one for one in known if one.serial not in self.revocations.serials]
        return {
            one.name: self._keys(one.name, one.serial, one.certificate, one.key.reveal() if one.key else None)
            for one in found
        }

    def server(self) -> str:
        """Return the server's certificate and key, PEM; made anew before it ends, and where its file is damaged.

        Raises:
            StateError: The authority is not valid now.
            OSError: It cannot be written.
        """
        self.authority.check(self._where)
        path = self._folder / _SERVER
        found = files.read(path)
        if found is not None and self._serves(found):
            return found
        made = self.authority.server(self.server_name)
        files.write(path, made.certificate + made.key)
        return made.certificate + made.key

    def _serves(self, text: str) -> bool:
        blocks = files.pem_blocks(text)
        try:
            certificate = x509.load_pem_x509_certificate(blocks["CERTIFICATE"].encode())
            key = serialization.load_pem_private_key(blocks["PRIVATE KEY"].encode(), None)
        except (KeyError, ValueError):
            return False
        whole = key.public_key() == certificate.public_key() and common_name(certificate) == self.server_name
        return whole and self.authority.signed(certificate) and self.authority.lasts(certificate.not_valid_after_utc)

    def _own_authority(self) -> Authority:
        made = self._kept(
            _AUTHORITY,
            lambda text: Authority.parse(text, self._clock),
            lambda: Authority.new(f"Chatsubo gate {token_hex(4)}", self._clock).dump(),
        )
        made.check(self._where)
        return made

    def _kept(self, name: str, parse: Callable[[str], T], make: Callable[[], str]) -> T:
        """Return what is in a file, and make it where there is none."""
        path = self._folder / name
        text = files.read(path)
        if text is None:
            text = make()
            files.write(path, text)
        try:
            return parse(text)
        except ValueError as error:
            remedy = "put it back from a backup, or remove it: every player then needs a new access"
            raise StateError(f"{path} is damaged ({error}): {remedy}") from error

    def _keys(self, name: str, serial: int, certificate: str, key: str | None) -> Keys:
        wrapped = self.wrapping.client_key(int(self._clock().timestamp()))
        material = Material(name=name, certificate=certificate, key=key, tls_crypt=wrapped)
        return Keys(public=f"{serial:x}", material=Secret(msgspec.json.encode(material).decode()))


def _existing(config: GateConfig, clock: Clock) -> Existing | None:
    if config.pki is None and config.ca_pass is None:
        return None
    folder = config.pki or USUAL_PKI
    if not folder.is_dir():
        raise StateError(
            f"{folder} is no folder: set `pki` to the folder of the certificate authority, or leave out "
            "`ca_pass` to have the gate make one of its own"
        )
    return read_existing(folder, config.ca_pass, clock)
