"""What the labels of a dynamic template ask for, beyond what they tell players.

==================================  ==================================================================================
``chatsubo.file.SLOT``              the path of a file that holds the value; ``.mode`` and ``.owner`` beside it
``chatsubo.exec``                   a program in the guest that is given all named values, as lines NAME=VALUE
``chatsubo.cloudinit.user``         the account that cloud-init makes
``chatsubo.cloudinit.password``     its password, as in ``$RNG0``
``chatsubo.cloudinit.keys``         its SSH key
==================================  ==================================================================================
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chatsubo.domain.labels import PREFIX
from chatsubo.domain.text import Text
from chatsubo.providers.options import OptionReader
from chatsubo.providers.pve.labels import NAMES, named_in

_OWNER = re.compile(r"[A-Za-z0-9_-]{1,32}(:[A-Za-z0-9_-]{1,32})?")
_PATH = re.compile(r"/[^\s,;\0]+")


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file in the guest that holds one value and a line end.

    Attributes:
        slot: Which value.
        path: Where, absolute.
        mode: Its permissions, as chmod takes them.
        owner: Its owner and group, as chown takes them; empty for root.
    """

    slot: str
    path: str
    mode: str = "0400"
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What the labels ask for.

    Attributes:
        files: The files to make.
        program: The program to run; empty for none.
        user, password, keys: For cloud-init, with the names of values in them.
        named: All values that any label names.
        warnings: What could not be read; it is as if it were not there.
    """

    files: tuple[SecretFile, ...] = ()
    program: str = ""
    user: str = ""
    password: str = ""
    keys: str = ""
    named: frozenset[str] = frozenset()
    warnings: tuple[Text, ...] = ()

    @property
    def inside(self) -> bool:
        """Whether something has to be done inside the guest."""
        return bool(self.files or self.program)

    @property
    def cloud_init(self) -> bool:
        """Whether something is asked of cloud-init."""
        return bool(self.user or self.password or self.keys)

    @property
    def brought(self) -> frozenset[str]:
        """The values that get into the guest."""
        told = frozenset().union(
            {file.slot for file in self.files}, *map(named_in, (self.user, self.password, self.keys))
        )
        return told | (self.named if self.program else frozenset())

    @property
    def asked(self) -> tuple[str, ...]:
        """What the labels ask for that a guest would have to be given, as they name it."""
        ways = {"chatsubo.file": self.files, "chatsubo.exec": self.program, "chatsubo.cloudinit": self.cloud_init}
        return (*sorted(f"${name}" for name in self.named), *(way for way, used in ways.items() if used))


def read_options(labels: Mapping[str, str]) -> Options:
    """Return what ``labels`` ask for; one that cannot be read becomes a warning.

    Args:
        labels: The ``chatsubo.*`` labels, keys in lower case.
    """
    reader = _Reader(labels)
    files = tuple(reader.files())
    return Options(
        files=files,
        program=reader.path("exec"),
        user=reader.value("cloudinit.user"),
        password=reader.value("cloudinit.password"),
        keys=reader.value("cloudinit.keys"),
        named=frozenset().union({file.slot for file in files}, *map(named_in, labels.values())),
        warnings=tuple(reader.warnings),
    )


class _Reader(OptionReader):
    """Reads one set of labels."""

    def path(self, key: str) -> str:
        value = self.value(key)
        if value and not _is_plain_path(value):
            self.warn(key, Text(f"{PREFIX}{key}=/usr/local/sbin/setup"))
            return ""
        return value

    def files(self) -> Iterator[SecretFile]:
        for name, path in self.paths(NAMES, _is_plain_path):
            owner = self.value(f"file.{name}.owner")
            if owner and not _OWNER.fullmatch(owner):
                self.warn(f"file.{name}.owner", Text("1000:1000"))
                owner = ""
            yield SecretFile(name.upper(), path, self.mode(name), owner)


def _is_plain_path(path: str) -> bool:
    return bool(_PATH.fullmatch(path)) and posixpath.normpath(path) == path
