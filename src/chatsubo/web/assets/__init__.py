"""The bundled front end: files whose names carry a hash of their content, so that browsers keep them for ever."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

DIST = Path(__file__).parent / "static" / "dist"

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""How a file may be compressed, the smallest first, and what its name then ends with."""


class AssetsMissing(Exception):
    """The front end has not been bundled; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file.

    Attributes:
        media_type: Its content type.
        bodies: Its content by encoding; ``"identity"`` is always there.
    """

    media_type: str
    bodies: Mapping[str, bytes]

    def encoded_for(self, accept_encoding: str) -> tuple[str, bytes]:
        """Return the smallest encoding that the header ``accept_encoding`` allows, and the content in it."""
        accepted = {_coding(part) for part in accept_encoding.split(",")}
        encoding = next((name for name in _ENCODINGS if name in accepted and name in self.bodies), "identity")
        return encoding, self.bodies[encoding]


@dataclass(frozen=True, slots=True)
class Assets:
    """All files of the front end.

    Attributes:
        names: From the names that pages use to those that files are served under.
        files: The files by the latter.
    """

    names: Mapping[str, str]
    files: Mapping[str, Asset]

    @classmethod
    def load(cls, folder: Path = DIST) -> Self:
        """Read all files into memory: some hundred kilobytes.

        Raises:
            AssetsMissing: If they have not been built.
        """
        try:
            names: dict[str, str] = json.loads((folder / "manifest.json").read_bytes())
            return cls(names, {name: _read(folder / name) for name in names.values()})
        except FileNotFoundError as error:
            message = f"The pages' style and script are not there ({error.filename}). Build them: make build"
            raise AssetsMissing(message) from None


@cache
def bundled() -> Assets:
    """Return the front end that ships with the package.

    Raises:
        AssetsMissing: If it has not been built.
    """
    return Assets.load()


def _coding(part: str) -> str:
    """Return what one part of an ``Accept-Encoding`` header allows; ``""`` if it forbids (RFC 9110, section 12.5.3)."""
    coding, _, weight = part.replace(" ", "").lower().partition(";q=")
    return "" if weight and not weight.strip("0.") else coding


def _read(path: Path) -> Asset:
    bodies = {"identity": path.read_bytes()}
    for encoding, ending in _ENCODINGS.items():
        compressed = path.with_name(path.name + ending)
        if compressed.is_file():
            bodies[encoding] = compressed.read_bytes()
    return Asset(_MEDIA_TYPES.get(path.suffix, "application/octet-stream"), bodies)
