"""A template's folder, as it is sent to the engine."""

import hashlib
import io
import os
import re
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from chatsubo.providers.docker.ignore import is_ignored, read_patterns

DOCKERFILE = "Dockerfile"
OURS = ".dockerfile.chatsubo"
IGNORE = ".dockerignore"
SCANNED = 1_000_000
"""Bytes of each file that are searched for the names of values."""

# FLAG0 is said for one thing only; SESSION and FLAG are words of their own, unless they are read as variables.
_NAMES = re.compile(
    rb"(?<![A-Za-z0-9_])((?:FLAG|RNG)[0-9]{1,2})(?![A-Za-z0-9_])"
    rb"|(?:\$\{?|[\"'.])(SESSION|FLAG|RNG)(?![A-Za-z0-9_])"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or link of a context.

    Attributes:
        name: Its path in the folder, with slashes.
        path: Where it is.
        signature: What changes when it changes: mode, size, time of change, number.
    """

    name: str
    path: Path
    signature: tuple[int, int, int, int]

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.signature[0])


@dataclass(frozen=True, slots=True)
class Context:
    """What a folder holds, without what its ``.dockerignore`` keeps out.

    Attributes:
        entries: Sorted by name.
        digest: A digest of names, modes and contents.
        mentions: The slots that its files name, ``FLAG`` or ``RNG`` where one is put together by a script.
    """

    entries: tuple[Entry, ...]
    digest: str
    mentions: frozenset[str]


def entries(folder: Path) -> tuple[Entry, ...]:
    """Return what a folder holds for a build, sorted; devices, pipes and sockets are left out.

    Raises:
        OSError: It cannot be read.
    """
    ignore = folder / IGNORE
    patterns = read_patterns(ignore.read_text(errors="replace")) if ignore.is_file() else ()
    return tuple(sorted(_walk(folder, "", patterns), key=lambda one: one.name))


def signature(found: tuple[Entry, ...]) -> tuple[object, ...]:
    """Return what changes when any of the entries changes, comes or goes."""
    return tuple((one.name, one.signature) for one in found)


def read(found: tuple[Entry, ...]) -> Context:
    """Return the context of ``found``, every file read once.

    Raises:
        OSError: A file cannot be read.
    """
    digest = hashlib.sha256()
    mentions: set[str] = set()
    for one in found:
        digest.update(f"{one.name}\0{stat.S_IMODE(one.signature[0]):o}\0{stat.S_IFMT(one.signature[0]):o}\0".encode())
        if one.is_file:
            digest.update(_digest(one.path, mentions if one.name != DOCKERFILE else set()))
        elif one.path.is_symlink():
            digest.update(str(one.path.readlink()).encode())
    return Context(found, digest.hexdigest(), frozenset(mentions))


def pack(context: Context, dockerfile: str) -> IO[bytes]:
    """Return the context as an open tar archive, at its beginning; close it when it was sent.

    The Dockerfile in it is ``dockerfile``, under a name of ours that the engine takes out again before the build, so
    that ``COPY .`` copies what the author sees.

    Raises:
        OSError: A file cannot be read, or the disk is full.
    """
    archive_file = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    try:
        with tarfile.open(fileobj=archive_file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            ignored = ""
            for one in context.entries:
                if one.name == IGNORE:
                    ignored = one.path.read_text(errors="replace")
                else:
                    _add(archive, one)
            ours = f"{ignored}\n{OURS}\n" if ignored else f"{OURS}\n{IGNORE}\n"
            _add_text(archive, IGNORE, ours)
            _add_text(archive, OURS, dockerfile)
        archive_file.seek(0)
    except BaseException:
        archive_file.close()
        raise
    return archive_file


def _walk(folder: Path, prefix: str, patterns: tuple[str, ...]) -> Iterator[Entry]:
    with os.scandir(folder) as scan:
        for found in scan:
            name = f"{prefix}{found.name}"
            about = found.stat(follow_symlinks=False)
            kind = about.st_mode
            if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISLNK(kind)):
                continue
            kept = name in (DOCKERFILE, IGNORE) or not is_ignored(name, patterns)
            if kept:
                size = 0 if stat.S_ISDIR(kind) else about.st_size
                changed = 0 if stat.S_ISDIR(kind) else about.st_mtime_ns
                yield Entry(name, Path(found.path), (kind, size, changed, about.st_ino))
            # A pattern with a ! may take back what is in a folder that stays out.
            if stat.S_ISDIR(kind) and (kept or any(pattern.startswith("!") for pattern in patterns)):
                yield from _walk(Path(found.path), f"{name}/", patterns)


def _digest(path: Path, mentions: set[str]) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        first = file.read(SCANNED)
        mentions.update((slot or word).decode() for slot, word in _NAMES.findall(first))
        digest.update(first)
        while piece := file.read(SCANNED):
            digest.update(piece)
    return digest.digest()


def _add(archive: tarfile.TarFile, one: Entry) -> None:
    member = archive.gettarinfo(str(one.path), one.name)
    # As the engine's own client sends them: root's, and without a time, which no cache looks at.
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mtime = 0
    # Two hard links to one file are two files.
    member.type = tarfile.REGTYPE if member.islnk() else member.type
    if member.isreg():
        with one.path.open("rb") as file:
            content = file.read()
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    else:
        archive.addfile(member)


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode()
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    archive.addfile(member, io.BytesIO(content))
