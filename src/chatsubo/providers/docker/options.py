"""What a template's labels ask of the engine, beyond what they tell players.

=============================  =======================================================================================
``chatsubo.secrets``           ``auto`` (look where each value is used), ``build``, ``env`` or ``files``
``chatsubo.file.SLOT``         the path of a file that holds the slot's value; ``.mode`` and ``.owner`` beside it
``chatsubo.limits.memory``     as in ``512m``; likewise ``.cpus`` and ``.processes``
``chatsubo.capabilities``      Linux capabilities, separated by commas
``chatsubo.privileges``        ``true`` where programs in the box gain rights (sudo, setuid)
``chatsubo.internet``          ``true`` where the box needs the internet
``chatsubo.init``              ``false`` where the image brings a process 1 of its own
=============================  =======================================================================================
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chatsubo.config import ByteSize, InvalidValue
from chatsubo.domain.text import Text
from chatsubo.providers.base import Limits
from chatsubo.providers.docker.slots import NAMES
from chatsubo.providers.options import OptionReader

SECRETS_FOLDER = "/run/chatsubo"

_OWNER = re.compile(r"(\d{1,9})(?::(\d{1,9}))?")
_CAPABILITY = re.compile(r"(?:CAP_)?([A-Z_]{3,32})")
_CPUS = re.compile(r"\d{1,3}(\.\d{1,3})?")


class Delivery(StrEnum):
    """How the values of a session get into its machine."""

    AUTO = "auto"
    BUILD = "build"
    ENVIRONMENT = "env"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file that holds one value.

    Attributes:
        slot: Which value.
        path: Where, absolute.
        mode: Its permissions.
        uid, gid: Its owner and group, as numbers.
    """

    slot: str
    path: str
    mode: int = 0o400
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True)
class Options:
    """What the labels ask for.

    Attributes:
        delivery: How values get in.
        files: The files to make.
        limits: What the box needs; None where it does not say.
        capabilities: Those it needs beyond the usual, without ``CAP_``.
        privileges: Whether its programs may gain rights.
        internet: Whether it wants the internet.
        init: Whether a small process 1 is put before its own.
        warnings: What could not be read; it is as if it were not there.
    """

    delivery: Delivery = Delivery.AUTO
    files: tuple[SecretFile, ...] = ()
    limits: Limits = field(default_factory=Limits)
    capabilities: frozenset[str] = frozenset()
    privileges: bool = False
    internet: bool = False
    init: bool = True
    warnings: tuple[Text, ...] = ()


def read_options(labels: Mapping[str, str]) -> Options:
    """Return what ``labels`` ask for; one that cannot be read becomes a warning.

    Args:
        labels: The ``chatsubo.*`` labels, keys in lower case.
    """
    reader = _Reader(labels)
    delivery = reader.delivery()
    return Options(
        delivery=delivery,
        files=tuple(reader.files()),
        limits=Limits(reader.memory(), reader.cpus(), reader.processes()),
        capabilities=reader.capabilities(),
        privileges=reader.boolean("privileges", default=False),
        internet=reader.boolean("internet", default=False),
        init=reader.boolean("init", default=True),
        warnings=tuple(reader.warnings),
    )


class _Reader(OptionReader):
    """Reads one set of labels."""

    def delivery(self) -> Delivery:
        value = self.value("secrets").lower()
        if not value or value in set(Delivery):
            return Delivery(value or "auto")
        self.warn("secrets", Text(", ".join(Delivery)))
        return Delivery.AUTO

    def boolean(self, key: str, *, default: bool) -> bool:
        value = self.value(key).lower()
        if value not in ("", "true", "false"):
            self.warn(key, Text("true, false"))
        return value == "true" if value in ("true", "false") else default

    def memory(self) -> int | None:
        value = self.value("limits.memory")
        if not value:
            return None
        try:
            return int(ByteSize.from_text(value))
        except InvalidValue as error:
            self.warn("limits.memory", error.expected)
            return None

    def cpus(self) -> float | None:
        value = self.value("limits.cpus")
        if value and not (_CPUS.fullmatch(value) and float(value) > 0):
            self.warn("limits.cpus", Text("0.5, 1, 2"))
            return None
        return float(value) if value else None

    def processes(self) -> int | None:
        value = self.value("limits.processes")
        if value and not (value.isascii() and value.isdigit() and len(value) < 7 and int(value) > 0):  # noqa: PLR2004
            self.warn("limits.processes", Text("256"))
            return None
        return int(value) if value else None

    def capabilities(self) -> frozenset[str]:
        names = set()
        for written in filter(None, re.split(r"[,\s]+", self.value("capabilities").upper())):
            if match := _CAPABILITY.fullmatch(written):
                names.add(match[1])
            else:
                self.warn("capabilities", Text("NET_RAW,SYS_PTRACE"))
        return frozenset(names)

    def files(self) -> Iterator[SecretFile]:
        for name, path in self.paths(NAMES, _is_plain_path):
            owner = self.value(f"file.{name}.owner")
            numbers = _OWNER.fullmatch(owner)
            if owner and not numbers:
                self.warn(f"file.{name}.owner", Text("1000:1000"))
            uid = int(numbers[1]) if numbers else 0
            gid = int(numbers[2] or numbers[1]) if numbers else 0
            yield SecretFile(name.upper(), path, int(self.mode(name), 8), uid, gid)


def _is_plain_path(path: str) -> bool:
    return path.startswith("/") and posixpath.normpath(path) == path and "\0" not in path and path != "/"
