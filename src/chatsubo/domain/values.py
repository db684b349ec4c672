"""The values that a session is given at its start: its id, fifty-one flags and fifty-one random passwords."""

import base64
import hashlib
import secrets
import string
from collections.abc import Mapping

SLOTS = 51
_ALPHANUMERIC = string.ascii_letters + string.digits


def make_flag(prefix: str) -> str:
    """Return a new flag: ``PREFIX{`` + the first 35 hex digits of the SHA-1 of a random 32-character string + ``}``."""
    digest = hashlib.sha1(_random_text(32).encode(), usedforsecurity=False).hexdigest()
    return f"{prefix}{{{digest[:35]}}}"


def make_password() -> str:
    """Return 8 random characters of A-Z, a-z and 0-9."""
    return _random_text(8)


def make_values(session_id: str, prefix: str) -> dict[str, str]:
    """Return ``SESSION``, ``FLAG0`` .. ``FLAG50`` and ``RNG0`` .. ``RNG50`` for one session.

    Args:
        session_id: The session's UUID4.
        prefix: The provider's ``flag_prefix``.
    """
    values = {"SESSION": session_id}
    for slot in range(SLOTS):
        values[f"FLAG{slot}"] = make_flag(prefix)
        values[f"RNG{slot}"] = make_password()
    return values


def redact(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with each secret value replaced by its name, as in ``[FLAG0]``, also where it is in base64.

    Args:
        text: What an engine, a program or a plugin wrote.
        values: ``SESSION``, ``FLAGn`` and ``RNGn`` of one session; the first is no secret.
    """
    for name, value in values.items():
        if name != "SESSION" and value:
            for form in (value, *base64_forms(value)):
                text = text.replace(form, f"[{name}]")
    return text


def base64_forms(value: str) -> set[str]:
    """Return what a whole ``value`` looks like in base64, both alphabets, without the padding.

    A line feed after it changes nothing of that, since the first half of its byte is zero, as padding is.
    Encoded together with what stands before it, a value looks otherwise.
    """
    data = value.encode("utf-8", "surrogatepass")
    return {encode(data).decode().rstrip("=") for encode in (base64.b64encode, base64.urlsafe_b64encode)}


def _random_text(length: int) -> str:
    """Return ``length`` letters and digits, all equally likely: bytes from which no whole alphabet is left are skipped.

    One read of random bytes for all of them makes the values of a session in a tenth of the time of ``secrets.choice``.
    """
    fair = 256 - 256 % len(_ALPHANUMERIC)
    text = ""
    while len(text) < length:
        text += "".join(_ALPHANUMERIC[byte % len(_ALPHANUMERIC)] for byte in secrets.token_bytes(length) if byte < fair)
    return text[:length]
