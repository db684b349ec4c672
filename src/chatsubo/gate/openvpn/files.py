"""Small files that root alone can read, and that are there whole or not at all."""

import os
import re
from pathlib import Path

from chatsubo.gate.errors import StateError

_BLOCK = re.compile(r"-----BEGIN ([A-Z][A-Za-z0-9 -]*)-----\n.*?\n-----END \1-----\n?", re.DOTALL)
_SECOND = 1_000_000_000


def make_folder(path: Path) -> None:
    """Make a folder that root alone can enter; one that is there already gets those rights.

    Raises:
        OSError: It cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def write(path: Path, text: str) -> None:
    """Write a file so that whoever reads it finds the old text or the new one, also after a loss of power.

    The new file is at least a second younger than the one it replaces: OpenVPN takes a revocation list for the one that
    it has read already where both its size and the second of its last change are the same.

    Raises:
        OSError: It cannot be written.
    """
    draft = path.with_name(f".{path.name}.draft")
    handle = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fchmod(handle, 0o600)
        if path.exists():
            moment = max(os.fstat(handle).st_mtime_ns, path.stat().st_mtime_ns + _SECOND)
            os.utime(handle, ns=(moment, moment))
        os.fsync(handle)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: Path) -> str | None:
    """Return the text of a file, or None where there is none.

    Raises:
        StateError: It is there and cannot be read.
    """
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"{path} cannot be read: {error}; mend its rights, or put it back from a backup") from error


def pem_blocks(text: str) -> dict[str, str]:
    """Return the blocks of a PEM file by their label; of several with one label the first."""
    found: dict[str, str] = {}
    for match in _BLOCK.finditer(text):
        found.setdefault(match[1], match[0].rstrip("\n") + "\n")
    return found
