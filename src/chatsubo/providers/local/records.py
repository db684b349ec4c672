"""What is known of each instance: one small file each, which outlives the platform."""

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Rejected
from chatsubo.providers.exc import Cancelled, Misconfigured
from chatsubo.providers.local.addresses import Lease

_SESSION = re.compile(r"[A-Za-z0-9-]{1,64}")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one instance. It holds the flags, so it does not show them.

    Attributes:
        provider: The name of the provider that made it.
        session: The session that it runs for.
        generation: Of the order that it was made for.
        realm: The realm it is in.
        template: The template it comes from.
        slot, address, ports: What it holds through every reset; see :class:`Lease`.
        labels: Its labels, with the values of its session.
        run: The name of the run that is its present life; a reset begins another.
        awaited: Whether ports had to answer before it was ready.
        ready: Whether its start came to its end; it is half made until then.
    """

    provider: str
    session: str
    generation: int
    realm: str
    template: str
    slot: int
    address: str
    ports: dict[str, int]
    labels: dict[str, str]
    run: str
    awaited: bool
    ready: bool = False

    def __repr__(self) -> str:
        return f"<Record {self.session} generation={self.generation} run={self.run} ready={self.ready}>"

    @property
    def lease(self) -> Lease:
        """What it holds through every reset."""
        return Lease(self.slot, self.address, self.ports)


class Records:
    """The records of a provider, safe against other threads, other processes, and being killed at any point.

    Args:
        folder: The folder to keep them in; :meth:`open` makes it.
        provider: The provider's name: others that share the folder by mistake are left alone.
    """

    def __init__(self, folder: Path, provider: str) -> None:
        self.provider = provider
        self.folder = folder / "instances"
        self._locks = folder / "locks"

    def open(self) -> None:
        """Make the folders."""
        for folder in (self.folder, self._locks):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, session: str) -> Record | None:
        """Return the record of ``session``, or None.

        Raises:
            Misconfigured: It cannot be read.
        """
        try:
            return msgspec.json.decode(self._path(session).read_bytes(), type=Record)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Misconfigured(f"{self._path(session)} is damaged; remove it") from None

    def all(self) -> tuple[list[Record], list[Rejected]]:
        """Return every record of this provider, and what cannot be read."""
        records, rejected = [], []
        for path in sorted(self.folder.glob("*.json")):
            try:
                record = self.get(path.stem)
            except Misconfigured:
                rejected.append(Rejected(path.name, Text(N_("its record is damaged; remove it"))))
                continue
            if record and record.provider == self.provider:
                records.append(record)
        return records, rejected

    def claim(self, make: Callable[[Record | None, list[Lease]], Record], session: str) -> Record:
        """Write a new record for ``session`` and return it.

        Args:
            make: Makes it from the one there was, if any, and the leases that others hold.
            session: Whose record it is.
        """
        with self._locked():
            before = self.get(session)
            record = make(before, [one.lease for one in self._leases() if one.session != session])
            self._write(record)
        return record

    def settle(self, record: Record) -> Record:
        """Mark ``record`` as ready and return it.

        Raises:
            Cancelled: It was removed, or another run has taken its place.
        """
        settled = msgspec.structs.replace(record, ready=True)
        with self._locked():
            if not self.holds(record):
                raise Cancelled(f"{record.session} was stopped while it started")
            self._write(settled)
        return settled

    def holds(self, record: Record) -> bool:
        """Say whether the session's present run is still that of ``record``."""
        return self.knows(record.session, record.run)

    def knows(self, session: str, run: str) -> bool:
        """Say whether ``run`` is the session's present run, or might be, since its record is damaged."""
        try:
            now = self.get(session)
        except Misconfigured:
            return True
        return now is not None and now.run == run

    def forget(self, session: str, run: str | None = None) -> None:
        """Remove the record of ``session``; only that of one ``run``, where it is given."""
        with self._locked():
            # A damaged record cannot be any run's, but a stop removes it.
            if run is None or ((now := self.get(session)) and now.run == run):
                self._path(session).unlink(missing_ok=True)

    @contextmanager
    def only_one(self, session: str) -> Iterator[bool]:
        """Hold the right to start or reset ``session``; gives False where somebody else holds it."""
        path = self._locks / f"{self._checked(session)}.lock"
        with _flock(path, wait=False) as held:
            try:
                yield held
            finally:
                if held:
                    path.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove the lock files of those who were killed while they held them."""
        for path in self._locks.glob("*.lock"):
            with self.only_one(path.stem):
                pass

    def _leases(self) -> Iterator[Record]:
        """Yield every readable record, other providers' too: an address is given out once."""
        for path in self.folder.glob("*.json"):
            with suppress(Misconfigured):
                if record := self.get(path.stem):
                    yield record

    def _path(self, session: str) -> Path:
        return self.folder / f"{self._checked(session)}.json"

    def _write(self, record: Record) -> None:
        path = self._path(record.session)
        draft = path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(record))
        draft.replace(path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with _flock(self._locks / ".records", wait=True):
            yield

    @staticmethod
    def _checked(session: str) -> str:
        if not _SESSION.fullmatch(session):
            raise Misconfigured("the session's id cannot be the name of a file")
        return session


@contextmanager
def _flock(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock file at ``path``, which goes with its holder, however that dies; gives False if it is taken."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            yield False
            return
        except BaseException:
            os.close(descriptor)
            raise
        if _is(descriptor, path):
            break
        # Its holder removed the file meanwhile: what was locked is not what others will see.
        os.close(descriptor)
    try:
        yield True
    finally:
        os.close(descriptor)


def _is(descriptor: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)
