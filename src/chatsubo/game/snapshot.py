"""What everyone sees, ready-made: boxes, flags, who found what, the standings.

It is made anew only when something in it changed, and once a second at most when it is large.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.errors import Unavailable
from chatsubo.domain.scoring import Solve, standings
from chatsubo.game.views import StandingRow, StandingsView
from chatsubo.live.news import News
from chatsubo.store.accounts import usernames
from chatsubo.store.boxes import Box, FlagRow, Track, all_boxes, all_flags, all_tracks
from chatsubo.store.database import Database
from chatsubo.store.settings import read_setting, write_setting
from chatsubo.store.submissions import all_solves, solves_version

LONGEST_PAUSE = 1.0
SHARE = 0.05
"""How much of the time may go into making snapshots: one that takes 5 ms may be made anew after 100 ms."""

CATALOGUE = "catalogue"
"""The setting that is another after each change to tracks, boxes and flags, or to whose flags count."""

Version = tuple[int, int, str]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Board:
    """Standings, overall or of one track, with their ready-made JSON."""

    view: StandingsView
    json: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What everyone sees at one moment.

    Attributes:
        version: Changes whenever anything in it did.
        tracks: In their order.
        boxes: All that are not deleted, by id, unreleased and retired ones too.
        flags: By the box's id; those of retired boxes still count.
        points: What each flag that counts is worth, by its id.
        found: When each account found which flag, by account and flag.
        finders: How many accounts have found each flag.
        first_bloods: Who found all flags of each box first, by the box's id.
        boards: The standings by the track's slug, ``None`` for overall.
        rows: The overall standings by account.
    """

    version: str
    tracks: tuple[Track, ...]
    boxes: Mapping[int, Box]
    flags: Mapping[int, tuple[FlagRow, ...]]
    points: Mapping[int, int] = field(repr=False)
    usernames: Mapping[int, str] = field(repr=False)
    found: Mapping[int, Mapping[int, datetime]] = field(repr=False)
    finders: Mapping[int, int] = field(repr=False)
    first_bloods: Mapping[int, int] = field(repr=False)
    boards: Mapping[str | None, Board] = field(repr=False)
    rows: Mapping[int, StandingRow] = field(repr=False)

    def first_blood(self, box_id: int) -> str | None:
        """Return who found all flags of the box first, or ``None``."""
        account_id = self.first_bloods.get(box_id)
        return None if account_id is None else self.usernames.get(account_id)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What was read from the database in one transaction."""

    version: Version
    tracks: list[Track]
    boxes: list[Box]
    flags: list[FlagRow]
    solves: list[Solve]
    usernames: dict[int, str]


class Snapshots:
    """Gives the present snapshot, and tells everyone when there is a new one."""

    def __init__(self, db: Database, news: News) -> None:
        self._db = db
        self._news = news
        self._lock = asyncio.Lock()
        self._snapshot: Snapshot | None = None
        self._version: Version | None = None
        self._looked_at = 0.0
        self._pause = 0.0
        self._changes = 0
        self._changes_seen = 0
        self._untold = False
        self._telling: asyncio.Task[None] | None = None

    async def current(self) -> Snapshot:
        """Return the snapshot. It is at most a second old; while it is cheap to make, much less."""
        if (snapshot := self._fresh()) is not None:
            return snapshot
        async with self._lock:
            return self._fresh() or await self._look()

    def forget(self) -> None:
        """Look again at the next call, after a change to the boxes that its author wants to see at once."""
        self._changes += 1

    def changed(self) -> None:
        """Tell everyone, once the next snapshot is there, that the standings have changed: of many changes, once."""
        self._untold = True
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def aclose(self) -> None:
        """Tell nobody any more."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait({self._telling})

    async def _tell(self) -> None:
        while self._untold:
            await asyncio.sleep(max(0.0, self._looked_at + self._pause - time.monotonic()))
            self._untold = False  # a change that comes from here on is told in another round
            self.forget()  # a look that began before the change may have missed it
            try:
                snapshot = await self.current()
            except Unavailable as error:
                log.warning("snapshot.failed", reason=str(error))
                self._untold = True
                await asyncio.sleep(LONGEST_PAUSE)
            else:
                self._news.standings(snapshot.version)

    def _fresh(self) -> Snapshot | None:
        is_young = time.monotonic() - self._looked_at < self._pause
        return self._snapshot if is_young and self._changes_seen == self._changes else None

    async def _look(self) -> Snapshot:
        began = time.monotonic()
        changes = self._changes  # one that comes while we look may not be in what we read
        async with self._db.read() as tx:
            version = (*await solves_version(tx), str(await read_setting(tx, CATALOGUE)))
            rows = await _read(tx, version) if version != self._version else None
        if rows is not None:
            self._snapshot = await asyncio.to_thread(_compute, rows)
            self._version = version
            self._pause = min(LONGEST_PAUSE, (time.monotonic() - began) / SHARE)
        self._looked_at, self._changes_seen = began, changes
        assert self._snapshot is not None
        return self._snapshot


async def outdate(tx: AsyncConnection) -> None:
    """Let there be another snapshot after a change to what it is made of, but accepted flags.

    To be called at first, so that whoever makes such a change at the same time waits for this one.
    """
    await write_setting(tx, CATALOGUE, secrets.token_hex(8))


async def _read(tx: AsyncConnection, version: Version) -> _Rows:
    return _Rows(
        version,
        await all_tracks(tx),
        [box for box in await all_boxes(tx) if box.deleted_at is None],
        await all_flags(tx),
        await all_solves(tx),
        await usernames(tx),
    )


def _compute(rows: _Rows) -> Snapshot:
    version = hashlib.sha256(repr(rows.version).encode()).hexdigest()[:16]
    boxes = {box.id: box for box in rows.boxes}
    counted = {box.id for box in rows.boxes if box.released_at is not None}
    flags: dict[int, list[FlagRow]] = {}
    for flag in rows.flags:
        if flag.box_id in boxes:
            flags.setdefault(flag.box_id, []).append(flag)
    found: dict[int, dict[int, datetime]] = {}
    finders: dict[int, int] = {}
    for solve in rows.solves:
        found.setdefault(solve.account_id, {})[solve.flag_id] = solve.at
        finders[solve.flag_id] = finders.get(solve.flag_id, 0) + 1
    boards = {
        track: _board(rows, track, {f.id: f.points for b in group for f in flags.get(b, ())}, version)
        for track, group in _groups(rows, counted).items()
    }
    return Snapshot(
        version=version,
        tracks=tuple(rows.tracks),
        boxes=boxes,
        flags={box_id: tuple(group) for box_id, group in flags.items()},
        points={flag.id: flag.points for box_id in counted for flag in flags.get(box_id, ())},
        usernames=rows.usernames,
        found=found,
        finders=finders,
        first_bloods=_first_bloods(rows.solves, flags),
        boards=boards,
        rows={row.account_id: row for row in boards[None].view.rows},
    )


def _first_bloods(solves: list[Solve], flags: Mapping[int, list[FlagRow]]) -> dict[int, int]:
    box_of = {flag.id: box_id for box_id, group in flags.items() for flag in group}
    counts: dict[tuple[int, int], int] = {}
    bloods: dict[int, int] = {}
    for solve in solves:
        box_id = box_of.get(solve.flag_id)
        if box_id is None or box_id in bloods:
            continue
        key = (box_id, solve.account_id)
        counts[key] = counts.get(key, 0) + 1
        if counts[key] == len(flags[box_id]):
            bloods[box_id] = solve.account_id
    return bloods


def _groups(rows: _Rows, counted: set[int]) -> dict[str | None, set[int]]:
    """Return the boxes that count, overall and for each track that has any: players do not know of the others."""
    groups: dict[str | None, set[int]] = {None: set(counted)}
    for box in rows.boxes:
        if box.id in counted:
            groups.setdefault(box.track, set()).add(box.id)
    return groups


def _board(rows: _Rows, track: str | None, points: Mapping[int, int], version: str) -> Board:
    view = StandingsView(
        version=version,
        track=track,
        flags=len(points),
        rows=tuple(
            StandingRow(
                rank=row.rank,
                username=rows.usernames.get(row.account_id, "?"),
                account_id=row.account_id,
                score=row.score,
                found=row.found,
                last_at=row.last_at,
            )
            for row in standings(rows.solves, points)
        ),
    )
    return Board(view, msgspec.json.encode(view))
