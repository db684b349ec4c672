"""WireGuard's keys: Curve25519 pairs and pre-shared keys, in base64 as its tools write them."""

import secrets
from base64 import b64decode, b64encode
from binascii import Error
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct
from msgspec.json import Decoder, Encoder

from chatsubo.config import Secret
from chatsubo.gate.model import Keys

_BYTES = 32


def is_key(text: str) -> bool:
    """Return whether ``text`` is a key in base64: 32 bytes, written in the one way that WireGuard takes."""
    try:
        raw = b64decode(text, validate=True)
    except (Error, ValueError):
        return False
    return len(raw) == _BYTES and b64encode(raw).decode() == text


def new_private_key() -> Secret:
    """Return a new private key, clamped as ``wg genkey`` does."""
    raw = bytearray(secrets.token_bytes(_BYTES))
    raw[0] &= 248
    raw[31] = raw[31] & 127 | 64
    return Secret(b64encode(raw).decode())


def new_preshared_key() -> Secret:
    """Return a new pre-shared key."""
    return Secret(b64encode(secrets.token_bytes(_BYTES)).decode())


def public_key(private: Secret) -> str:
    """Return the public key of a private key.

    Raises:
        ValueError: It is no key.
    """
    if not is_key(private.reveal()):
        raise ValueError("not a WireGuard key: 32 bytes in base64")
    made = X25519PrivateKey.from_private_bytes(b64decode(private.reveal()))
    return b64encode(made.public_key().public_bytes_raw()).decode()


class Material(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a client's file is made of: keys, or the whole text where it was made elsewhere.

    Attributes:
        private: The player's private key; None where there is a text.
        preshared: The pre-shared key, if the pair has one.
        text: The file of an adopted peer.
    """

    private: Secret | None = None
    preshared: Secret | None = None
    text: Secret | None = None

    def sealed(self) -> Secret:
        """Return this as :attr:`Keys.material`."""
        return Secret(_ENCODER.encode(self).decode())

    @classmethod
    def of(cls, keys: Keys) -> "Material":
        """Return what :meth:`sealed` was made of."""
        return _DECODER.decode(keys.material.reveal())


def _revealed(value: Any) -> str:
    assert isinstance(value, Secret)
    return value.reveal()


def _hidden(_kind: type, text: Any) -> Secret:
    return Secret(text)


_ENCODER = Encoder(enc_hook=_revealed)
_DECODER = Decoder(Material, dec_hook=_hidden)


def issue_keys() -> Keys:
    """Return new keys for a player."""
    private = new_private_key()
    material = Material(private=private, preshared=new_preshared_key())
    return Keys(public=public_key(private), material=material.sealed())
