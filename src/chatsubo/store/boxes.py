"""Queries on tracks, boxes and flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import boxes, flags, tracks


@dataclass(frozen=True, slots=True)
class Track:
    """A row of ``tracks``."""

    id: int
    slug: str
    name: str
    icon: str
    position: int


@dataclass(frozen=True, slots=True)
class Box:
    """A row of ``boxes``, with its track's slug and name."""

    id: int
    slug: str
    name: str
    template: str
    dynamic: bool
    description: str
    os: str
    difficulty: int
    duration: int
    picture: str | None
    authors: Sequence[str]
    track_id: int
    created_at: datetime
    released_at: datetime | None
    retired_at: datetime | None
    deleted_at: datetime | None
    track: str
    track_name: str

    @property
    def is_open(self) -> bool:
        """Whether players see and play it."""
        return self.standing == "released"

    @property
    def standing(self) -> str:
        """``draft``, ``released``, ``retired`` or ``deleted``."""
        if self.deleted_at is not None:
            return "deleted"
        if self.released_at is None:
            return "draft"
        return "released" if self.retired_at is None else "retired"


@dataclass(frozen=True, slots=True)
class FlagRow:
    """A row of ``flags``; its value is kept out of its repr."""

    id: int
    box_id: int
    name: str
    value: str
    points: int
    icon: str
    mark: str | None
    case_insensitive: bool
    dynamic: bool
    position: int

    def __repr__(self) -> str:
        """Return what identifies it."""
        return f"<FlagRow {self.id} {self.name!r}>"


_TRACK = [tracks.c[name] for name in Track.__slots__]
_BOX = [
    *(boxes.c[name] for name in Box.__slots__[:-2]),
    tracks.c.slug.label("track"),
    tracks.c.name.label("track_name"),
]
_FLAG = [flags.c[name] for name in FlagRow.__slots__]


async def all_tracks(tx: AsyncConnection) -> list[Track]:
    """Return the tracks that are not deleted, in their order."""
    statement = select(*_TRACK).where(tracks.c.deleted_at.is_(None)).order_by(tracks.c.position, tracks.c.id)
    return [Track(*row) for row in await tx.execute(statement)]


async def insert_track(tx: AsyncConnection, *, slug: str, name: str, icon: str) -> int:
    """Insert a track behind the others and return its id."""
    last = (await tx.execute(select(func.coalesce(func.max(tracks.c.position), 0)))).scalar_one()
    values = {"slug": slug, "name": name, "icon": icon, "position": last + 1}
    return int((await tx.execute(insert(tracks).values(values).returning(tracks.c.id))).scalar_one())


async def all_boxes(tx: AsyncConnection) -> list[Box]:
    """Return all boxes, deleted ones too, the easy ones first."""
    statement = (
        select(*_BOX)
        .join(tracks, tracks.c.id == boxes.c.track_id)
        .order_by(tracks.c.position, boxes.c.difficulty, boxes.c.id)
    )
    return [Box(*row) for row in await tx.execute(statement)]


async def box_by_slug(tx: AsyncConnection, slug: str) -> Box | None:
    """Return the box at that address, deleted or not."""
    statement = select(*_BOX).join(tracks, tracks.c.id == boxes.c.track_id).where(boxes.c.slug == slug)
    row = (await tx.execute(statement)).first()
    return Box(*row) if row else None


async def lock_box(tx: AsyncConnection, box_id: int) -> None:
    """Let nobody else take a flag of the box until the transaction ends; on SQLite there is one writer anyway."""
    await tx.execute(select(boxes.c.id).where(boxes.c.id == box_id).with_for_update(key_share=True))


async def hold_box(tx: AsyncConnection, box_id: int) -> Box | None:
    """Return the box as it is now, and let nobody change it until the transaction ends; others may hold it too."""
    statement = select(*_BOX).join(tracks, tracks.c.id == boxes.c.track_id).where(boxes.c.id == box_id)
    row = (await tx.execute(statement.with_for_update(read=True, of=boxes))).first()
    return Box(*row) if row else None


async def slugs(tx: AsyncConnection) -> set[str]:
    """Return all addresses of boxes that are in use."""
    return set((await tx.execute(select(boxes.c.slug))).scalars())


async def insert_box(tx: AsyncConnection, values: Mapping[str, Any]) -> int:
    """Insert a box and return its id."""
    return int((await tx.execute(insert(boxes).values(dict(values)).returning(boxes.c.id))).scalar_one())


async def update_box(tx: AsyncConnection, box_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of a box."""
    await tx.execute(update(boxes).where(boxes.c.id == box_id).values(dict(values)))


async def all_flags(tx: AsyncConnection, box_id: int | None = None) -> list[FlagRow]:
    """Return the flags that are not deleted, those of one box or all, in their order."""
    statement = (
        select(*_FLAG).where(flags.c.deleted_at.is_(None)).order_by(flags.c.box_id, flags.c.position, flags.c.id)
    )
    if box_id is not None:
        statement = statement.where(flags.c.box_id == box_id)
    return [FlagRow(*row) for row in await tx.execute(statement)]


async def insert_flag(tx: AsyncConnection, values: Mapping[str, Any]) -> int:
    """Insert a flag and return its id."""
    return int((await tx.execute(insert(flags).values(dict(values)).returning(flags.c.id))).scalar_one())


async def update_flag(tx: AsyncConnection, flag_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of a flag."""
    await tx.execute(update(flags).where(flags.c.id == flag_id).values(dict(values)))


async def flag_ids_by_name(tx: AsyncConnection, box_id: int) -> dict[str, int]:
    """Return the ids of a box's flags by name, deleted ones too, so that a name that comes back keeps its solves."""
    return dict((await tx.execute(select(flags.c.name, flags.c.id).where(flags.c.box_id == box_id))).all())
