"""Keys for ``tls-crypt-v2``, which hides the TLS handshake, and keeps whoever has no key from starting one.

Version 2 was chosen over the static key of version 1: every player has a key of their own, so that one that leaks opens
the handshakes of nobody else, and the server needs no list of them, since each key comes wrapped in the server's. The
wrapping is small enough to be done here (40 µs), without a process of ``openvpn --genkey`` for each player.

Format: ``doc/tls-crypt-v2.txt`` in OpenVPN's sources. The server's key is a 64-byte field for AES-256 and one for
HMAC-SHA-256, of which the first 32 bytes each are used. A client's key ``Kc`` is 256 random bytes, and ``WKc`` is
``T || AES-256-CTR(Ke, IV = first half of T, Kc || metadata) || length``, with ``T = HMAC-SHA-256(Ka, length || Kc ||
metadata)``. A client's file holds ``Kc || WKc``.
"""

import base64
import binascii
import os
import struct

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from chatsubo.gate.openvpn.files import pem_blocks

_SERVER, _CLIENT = "OpenVPN tls-crypt-v2 server key", "OpenVPN tls-crypt-v2 client key"
_FIELD = 64
_USED = 32
_CLIENT_KEY = 256
_TAG = 32
_IV = 16
_LENGTH = struct.Struct(">H")
_MADE_AT = struct.Struct(">BQ")  # the kind of metadata, 1 for a moment, and the moment, in seconds since 1970
_MOMENT = 1


class WrappingKey:
    """The server's key.

    Args:
        pem: Its file.

    Raises:
        ValueError: That is no such key.
    """

    def __init__(self, pem: str) -> None:
        try:
            body = pem_blocks(pem)[_SERVER].splitlines()[1:-1]
            key = base64.b64decode("".join(body), validate=True)
        except (KeyError, binascii.Error) as error:
            raise ValueError("no tls-crypt-v2 server key") from error
        if len(key) != 2 * _FIELD:
            raise ValueError("a tls-crypt-v2 server key that is not whole")
        self.pem = pem
        self._encrypt, self._authenticate = key[:_USED], key[_FIELD : _FIELD + _USED]

    @classmethod
    def new(cls) -> "WrappingKey":
        """Return a new one."""
        return cls(_pem(_SERVER, os.urandom(2 * _FIELD)))

    def client_key(self, moment: int) -> str:
        """Return the file of a new client's key.

        Args:
            moment: Now, in seconds since 1970; it goes into the key.
        """
        secret = os.urandom(_CLIENT_KEY)
        content = secret + _MADE_AT.pack(_MOMENT, moment)
        length = _LENGTH.pack(_TAG + len(content) + _LENGTH.size)
        authentication = hmac.HMAC(self._authenticate, hashes.SHA256())
        authentication.update(length + content)
        tag = authentication.finalize()
        encryptor = Cipher(algorithms.AES(self._encrypt), modes.CTR(tag[:_IV])).encryptor()
        wrapped = tag + encryptor.update(content) + encryptor.finalize() + length
        return _pem(_CLIENT, secret + wrapped)


def _pem(label: str, content: bytes) -> str:
    text = base64.b64encode(content).decode()
    body = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"
