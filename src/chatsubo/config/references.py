"""What a value points to outside the file: paths, and secrets kept in files or in the environment."""

import stat
from collections.abc import Mapping
from pathlib import Path

from chatsubo.config.document import Node
from chatsubo.config.errors import InvalidValue
from chatsubo.domain.text import N_, Text

_LARGEST_SECRET = 65_536
_READABLE = N_("{path}: everybody on this machine can read {file}; run chmod o-r on it")
_SECRET = Text(N_("text, {{file: PATH}} or {{env: NAME}}"))


def resolve_path(folder: Path, text: str) -> Path:
    """Return the absolute path that ``text`` means in a configuration in ``folder``.

    A relative path is one below the working directory if that is there, else one below ``folder``.

    Raises:
        InvalidValue: ``text`` cannot be a path.
    """
    if not text or "\0" in text:
        raise InvalidValue(Text(N_("a path")))
    candidate = Path.cwd() / text
    return candidate if _exists(candidate) else (folder / text).absolute()


def existing_file(path: Path) -> Path:
    """Return ``path``, if it is a file.

    Raises:
        InvalidValue: It is none.
    """
    try:
        if path.is_file():
            return path
    except OSError:
        pass
    expected = Text(N_("a file that is there; looked in the working directory, then for {path}"), {"path": str(path)})
    raise InvalidValue(expected)


def secret_text(node: Node, folder: Path, environ: Mapping[str, str]) -> tuple[str, tuple[Text, ...]]:
    """Return the text of a secret, and what is odd about it, to be given the ``path`` of the secret.

    Args:
        node: The text itself, ``{file: PATH}`` or ``{env: NAME}``.
        folder: What a relative path is relative to.
        environ: The environment.

    Raises:
        InvalidValue: It is none of these, points to nothing, or is empty.
    """
    reference = _reference(node)
    warnings: tuple[Text, ...] = ()
    if reference is None:
        text = plain_text(node)
    elif reference[0] == "env":
        text = _from_environment(reference[1], environ)
    else:
        text, warnings = _from_file(reference[1], folder)
    if text is None:
        raise InvalidValue(_SECRET, reveal=False)
    if not text:
        raise InvalidValue(Text(N_("a secret that is not empty")), reveal=False)
    return text, warnings


def plain_text(node: Node) -> str | None:
    """Return the text of a single value as it was written; None where it is not a single value.

    The value of an environment variable is always one: ``#abc`` and ``[abc]`` are texts there.
    """
    if node.variable is not None and node.text and node.text.strip() not in {"~", "null"}:
        return node.text
    return None if node.value is None or isinstance(node.value, list | dict) else node.text


def is_reference(node: Node) -> bool:
    """Say whether ``node`` points to a secret that is kept elsewhere, as ``{file: PATH}`` or ``{env: NAME}``."""
    return _reference(node) is not None


def _reference(node: Node) -> tuple[str, str] | None:
    if not isinstance(node.value, dict) or len(node.value) != 1:
        return None
    ((key, target),) = node.value.items()
    text = plain_text(target)
    return (key, text) if key in {"file", "env"} and text else None


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "")
    if not value:
        expected = Text(N_("the environment variable {name} to hold the secret"), {"name": name})
        raise InvalidValue(expected, at="env", reveal=False)
    return value


def _from_file(name: str, folder: Path) -> tuple[str, tuple[Text, ...]]:
    path = folder / name.replace("\0", "")
    try:
        if not path.is_file():
            raise FileNotFoundError
        mode = path.stat().st_mode
        with path.open("rb") as file:
            text = file.read(_LARGEST_SECRET).decode()
    except (OSError, UnicodeDecodeError):
        expected = Text(N_("a text file that can be read at {path}"), {"path": str(path)})
        raise InvalidValue(expected, at="file", reveal=False) from None
    if mode & stat.S_IROTH:
        warning = Text(_READABLE, {"file": str(path)})
        return text.removesuffix("\n").removesuffix("\r"), (warning,)
    return text.removesuffix("\n").removesuffix("\r"), ()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
