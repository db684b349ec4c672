"""The gate's own private key: configured, or made once and kept in a file."""

import os
import tempfile
from pathlib import Path

from chatsubo.config import Secret
from chatsubo.gate.config import GateConfig
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.wireguard.keys import is_key, new_private_key

FILE = "wireguard.key"
"""The file's name, below the folder with the gate's state."""


def load_server_key(config: GateConfig) -> Secret:
    """Return the gate's private key; it is made when it is first asked for.

    Raises:
        TunnelError: The configured one is no key, or the file can be neither read nor written.
    """
    if config.private_key is not None:
        return _checked(config.private_key.reveal(), "private_key in the gate's configuration")
    path = config.state / FILE
    try:
        if not path.exists():
            config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            _keep(path, new_private_key())
        text = path.read_text("ascii", "replace")
    except OSError as error:
        raise TunnelError(f"the gate's private key cannot be kept in {path}: {error.strerror}") from error
    return _checked(text.strip(), str(path))


def _checked(text: str, where: str) -> Secret:
    if not is_key(text):
        raise TunnelError(
            f"{where} is no WireGuard key (32 bytes in base64): put the right one back; with another key "
            "every player needs a new file"
        )
    return Secret(text)


def _keep(path: Path, key: Secret) -> None:
    """Write a key so that the file is there whole or not at all, and that the first of two writers wins."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{key.reveal()}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        Path(draft).unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
