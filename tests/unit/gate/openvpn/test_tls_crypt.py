"""Keys for tls-crypt-v2. That OpenVPN takes them is seen in the tests with the real one."""

import base64
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from chatsubo.gate.openvpn.tls_crypt import WrappingKey


def _content(pem: str) -> bytes:
    return base64.b64decode("".join(pem.splitlines()[1:-1]))


def test_the_server_finds_the_clients_key_in_what_wraps_it() -> None:
    wrapping = WrappingKey.new()
    server, client = _content(wrapping.pem), _content(wrapping.client_key(1_800_000_000))
    key, wrapped = client[:256], client[256:]
    tag, body, length = wrapped[:32], wrapped[32:-2], wrapped[-2:]
    assert int.from_bytes(length, "big") == len(wrapped)
    content = Cipher(algorithms.AES(server[:32]), modes.CTR(tag[:16])).decryptor().update(body)
    assert content == key + b"\x01" + (1_800_000_000).to_bytes(8, "big")
    assert hmac.digest(server[64:96], length + content, "sha256") == tag


def test_every_client_has_a_key_of_its_own() -> None:
    wrapping = WrappingKey.new()
    assert len({_content(wrapping.client_key(1))[:256] for _ in range(5)}) == 5


@pytest.mark.parametrize("keep", [0, 40, 120, -40])
def test_a_half_written_key_is_not_taken(keep: int) -> None:
    text = WrappingKey.new().pem
    with pytest.raises(ValueError, match="tls-crypt-v2 server key"):
        WrappingKey(text[:keep])


def test_a_key_with_a_line_missing_is_not_taken() -> None:
    lines = WrappingKey.new().pem.splitlines(keepends=True)
    with pytest.raises(ValueError, match="not whole"):
        WrappingKey("".join(lines[:1] + lines[2:]))
