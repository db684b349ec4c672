"""Types for the leaves of a configuration: hosts, sizes, addresses, URLs, ports, paths."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import SplitResult, urlsplit

from msgspec import Meta

from chatsubo.config.errors import InvalidValue
from chatsubo.domain.text import N_, Text

CHECK = "check"
_LONGEST_NAME = 64
MUST_BE_FILE = "file"

Port = Annotated[int, Meta(ge=1, le=65535)]
"""A TCP port."""

ExistingFile = Annotated[Path, Meta(extra={MUST_BE_FILE: True})]
"""A file that must be there. Like every ``Path``: relative to the working directory, then to the configuration."""


def checked(check: Callable[[str], str]) -> Meta:
    """Return the annotation for a text field that ``check`` looks at.

    Args:
        check: Takes the text, returns it (or its normal form), raises :class:`InvalidValue`.
    """
    return Meta(extra={CHECK: check})


def name(text: str) -> str:
    """Return ``text``, if it can name a realm, a node, a network.

    Raises:
        InvalidValue: It is empty, too long, or holds spaces or control characters.
    """
    if not 1 <= len(text) <= _LONGEST_NAME or not text.isprintable() or " " in text:
        raise InvalidValue(Text(N_("a name of 1 to 64 characters without spaces")))
    return text


Name = Annotated[str, checked(name)]
"""The name of a realm, a node, a network."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where a service is: ``docker.example``, ``https://pve.example:8006``, ``[::1]``, ``unix:///run/docker.sock``.

    Attributes:
        name: Host name or address, without brackets; empty for a socket file.
        scheme: ``https``, ``tcp``, ``unix``, ... in lower case; None where none was written.
        port: The port in the text itself, if any. A port configured beside the host wins.
        path: The socket file of a ``unix`` host.
    """

    name: str
    scheme: str | None = None
    port: int | None = None
    path: str | None = None

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the host that ``text`` names.

        Raises:
            InvalidValue: It names none, or carries a user, a path or a query.
        """
        scheme, separator, rest = text.strip().rpartition("://")
        scheme = scheme.lower()
        if scheme == "unix":
            return cls._socket(rest)
        split = _split(f"//{_bracketed(rest)}", _not_a_host(text))
        name, port = split.hostname or "", split.port
        extra = split.path.strip("/") or split.query or split.fragment or "@" in split.netloc
        if extra or not _HOST_NAME.fullmatch(name) or (separator and not _SCHEME.fullmatch(scheme)):
            raise _not_a_host(text)
        return cls(name, scheme or None, port)

    @classmethod
    def _socket(cls, path: str) -> Self:
        if not path.startswith("/") or "\0" in path:
            raise InvalidValue(Text(N_("the absolute path of a socket, as in unix:///var/run/docker.sock")))
        return cls("", "unix", None, path)

    def authority(self, port: int) -> str:
        """Return ``host:port`` for a URL, with brackets around an IPv6 address.

        Args:
            port: Used where the text of the host holds none.
        """
        name = f"[{self.name}]" if ":" in self.name else self.name
        return f"{name}:{self.port or port}"

    def __str__(self) -> str:
        prefix = f"{self.scheme}://" if self.scheme else ""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return f"{prefix}{name}{f':{self.port}' if self.port else ''}{self.path or ''}"


class ByteSize(int):
    """A number of bytes, written as ``512``, ``256k``, ``256m``, ``1.5g``, ``256MiB``; the units are powers of 1024."""

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the number of bytes that ``text`` says.

        Raises:
            InvalidValue: It is not a positive size.
        """
        match = _SIZE.fullmatch(text.strip().lower())
        size = 0
        if match:
            size = int(float(match[1]) * 1024 ** "bkmgt".index(match[2] or "b"))
        if size <= 0:
            raise InvalidValue(Text(N_("a size with a unit, as in 256m or 2g")))
        return cls(size)


def http_url(text: str) -> str:
    """Return ``text`` without a slash at its end, if it is an http(s) URL without user, query and fragment.

    Raises:
        InvalidValue: It is not.
    """
    split = _split(text, _not_a_url(text))
    plain = not (split.query or split.fragment or "@" in split.netloc or _UNSAFE.search(text))
    if split.scheme not in {"http", "https"} or not split.hostname or not plain:
        raise _not_a_url(text)
    return text.rstrip("/")


def network(text: str) -> str:
    """Return ``text`` in normal form, if it is an IP address or a network in CIDR notation.

    Raises:
        InvalidValue: It is neither.
    """
    try:
        parsed = ipaddress.ip_network(text, strict=False)
    except ValueError:
        expected = Text(N_("an IP address or a network, as in 10.0.0.1 or 10.0.0.0/8"))
        raise InvalidValue(expected) from None
    return str(parsed.network_address) if parsed.num_addresses == 1 else str(parsed)


_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9.])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([kmgt]?)(?:i?b)?")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")


def _not_a_host(text: str) -> InvalidValue:
    return InvalidValue(Text(N_("a host name or an address, as in docker.example")), reveal="@" not in text)


def _not_a_url(text: str) -> InvalidValue:
    expected = Text(N_("a URL with http or https, without a user and a query, as in https://ctf.example"))
    return InvalidValue(expected, reveal="@" not in text)


def _bracketed(rest: str) -> str:
    return f"[{rest}]" if rest.count(":") > 1 and not rest.startswith("[") else rest


def _split(text: str, refusal: InvalidValue) -> SplitResult:
    try:
        split = urlsplit(text)
        _ = split.port
    except ValueError:
        raise refusal from None
    return split
