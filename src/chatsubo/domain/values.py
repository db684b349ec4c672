"""The values that a session is given at its start: its id, fifty-one flags and fifty-one random passwords."""

import hashlib
import secrets
import string

SLOTS = 51
_ALPHANUMERIC = string.ascii_letters + string.digits


def make_flag(prefix: str) -> str:
    """Return a new flag: ``PREFIX{`` + the first 35 hex digits of the SHA-1 of a random 32-character string + ``}``."""
    seed = "".join(secrets.choice(_ALPHANUMERIC) for _ in range(32))
    digest = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()
    return f"{prefix}{{{digest[:35]}}}"


def make_password() -> str:
    """Return 8 random characters of A-Z, a-z and 0-9."""
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(8))


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
