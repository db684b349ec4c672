"""What the gate remembers over a restart: a small SQLite file that root alone can read."""

import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from chatsubo.config import Secret
from chatsubo.gate.errors import StateError
from chatsubo.gate.model import Addresses, Keys, Peer
from chatsubo.gate.picture import Picture

FILE = "gate.db"
VERSION = 1
_REMEDY = "mend the rights or free some space; move a damaged file away, and every player gets a new access"
_WAIT_SECONDS = 5.0
_TABLES = """
CREATE TABLE peers (
    uid TEXT PRIMARY KEY,
    name TEXT UNIQUE,  -- NULL: adopted, and not yet handed out
    number INTEGER NOT NULL UNIQUE,
    four TEXT NOT NULL,
    six TEXT,
    public TEXT NOT NULL UNIQUE,
    material TEXT NOT NULL,
    made REAL NOT NULL,
    seen REAL
) STRICT;
CREATE TABLE adopted (public TEXT PRIMARY KEY) STRICT;  -- ever taken in, though it may have ended since
CREATE TABLE picture (only INTEGER PRIMARY KEY CHECK (only = 1), content BLOB NOT NULL) STRICT;
"""
_SELECT = "SELECT uid, name, number, four, six, public, material, made, seen FROM peers"
_INSERT = (
    "INSERT INTO peers (uid, name, number, four, six, public, material, made, seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_DELETE = "DELETE FROM peers WHERE uid = ?"

T = TypeVar("T")


class State:
    """The file. Its methods block; a change that returned is on the disk.

    Args:
        folder: Where the file is; made where it is missing.

    Raises:
        StateError: It cannot be opened, or is damaged, or was written by a newer gate.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._connection = self._guarded(lambda: _opened(self._file))

    def peers(self) -> list[Peer]:
        """Return the accesses, those that nobody has yet with an empty name."""
        return self._guarded(lambda: [_peer(row) for row in self._connection.execute(_SELECT)])

    def adopted(self) -> set[str]:
        """Return the public keys of all accesses that were ever taken in from elsewhere."""
        return self._guarded(lambda: {row[0] for row in self._connection.execute("SELECT public FROM adopted")})

    def adopt(self, peers: Collection[Peer]) -> None:
        """Remember accesses that were made elsewhere, and for good that they were taken in."""
        keys = [(one.keys.public,) for one in peers]
        self._changed(("INSERT INTO adopted (public) VALUES (?)", keys), (_INSERT, [_row(one) for one in peers]))

    def picture(self) -> Picture:
        """Return who may reach what; at first nobody anything."""
        row = self._guarded(lambda: self._connection.execute("SELECT content FROM picture").fetchone())
        return msgspec.json.decode(row[0], type=Picture) if row else Picture()

    def put(self, peers: Iterable[Peer], instead_of: Iterable[Peer] = ()) -> None:
        """Remember accesses, in one transaction with forgetting others."""
        self._changed((_DELETE, [(one.uid,) for one in instead_of]), (_INSERT, [_row(one) for one in peers]))

    def remove(self, peers: Iterable[Peer]) -> None:
        """Forget accesses."""
        self._changed((_DELETE, [(one.uid,) for one in peers]))

    def saw(self, when: Mapping[str, float]) -> None:
        """Remember when peers were last connected, by their uid."""
        self._changed(("UPDATE peers SET seen = ? WHERE uid = ?", [(seen, uid) for uid, seen in when.items()]))

    def keep(self, picture: Picture) -> None:
        """Remember who may reach what."""
        content = msgspec.json.encode(picture)
        self._changed(("INSERT OR REPLACE INTO picture (only, content) VALUES (1, ?)", [(content,)]))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _changed(self, *statements: tuple[str, list[tuple[Any, ...]]]) -> None:
        """Carry out statements, each for its rows, in one transaction."""

        def change() -> None:
            with self._connection:
                for statement, rows in statements:
                    self._connection.executemany(statement, rows)

        self._guarded(change)

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (sqlite3.Error, OSError, msgspec.DecodeError) as error:
            raise StateError(f"{self._file}: {error}; {_REMEDY}") from error


def _opened(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    file.chmod(0o600)
    connection = sqlite3.connect(file, timeout=_WAIT_SECONDS, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables in a new file.

    Raises:
        DatabaseError: The file is damaged, or was written by a newer gate.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise sqlite3.DatabaseError(f"a newer gate wrote it (version {version}, this one knows {VERSION}): upgrade")
    if version == 0:
        connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")


def _row(peer: Peer) -> tuple[Any, ...]:
    six = str(peer.addresses.six) if peer.addresses.six else None
    where = (peer.number, str(peer.addresses.four), six)
    return (peer.uid, peer.name or None, *where, peer.keys.public, peer.keys.material.reveal(), peer.made, peer.seen)


def _peer(row: tuple[Any, ...]) -> Peer:
    uid, name, number, four, six, public, material, made, seen = row
    addresses = Addresses(four=IPv4Address(four), six=IPv6Address(six) if six else None)
    keys = Keys(public=public, material=Secret(material))
    return Peer(uid=uid, name=name or "", number=number, addresses=addresses, keys=keys, made=made, seen=seen)
