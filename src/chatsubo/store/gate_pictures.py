"""Which picture of who may reach what each gate holds. Versions are allotted here, so that processes do not clash."""

from dataclasses import dataclass

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.store.tables import gate_pictures
from chatsubo.store.upsert import insertion


@dataclass(frozen=True, slots=True)
class TakenPicture:
    """What a gate took last.

    Attributes:
        version: Which version.
        digest: Of what it says.
    """

    version: int
    digest: str


async def taken_picture(tx: AsyncConnection, url: str) -> TakenPicture | None:
    """Return what the gate took last; ``None`` if it was never given anything."""
    query = select(gate_pictures.c.taken, gate_pictures.c.digest).where(
        gate_pictures.c.url == url, gate_pictures.c.taken.is_not(None)
    )
    row = (await tx.execute(query)).first()
    return TakenPicture(*row) if row else None


async def allot_version(tx: AsyncConnection, url: str, above: int = 0) -> int:
    """Return a version for the gate's next picture, higher than all before and than ``above``.

    The picture is to be read in a transaction that begins after this one has ended: of two processes, the one that
    has the higher version then has the fresher picture.
    """
    new = insertion(tx, gate_pictures).values(url=url, version=above + 1)
    higher = func.max if tx.dialect.name == "sqlite" else func.greatest
    change = {"version": higher(gate_pictures.c.version, above) + 1}
    query = new.on_conflict_do_update(index_elements=["url"], set_=change).returning(gate_pictures.c.version)
    return int((await tx.execute(query)).scalar_one())


async def note_taken(tx: AsyncConnection, url: str, taken: TakenPicture) -> None:
    """Note what the gate took, unless it took something newer meanwhile."""
    older = or_(gate_pictures.c.taken.is_(None), gate_pictures.c.taken < taken.version)
    change = update(gate_pictures).where(gate_pictures.c.url == url, older)
    await tx.execute(change.values(taken=taken.version, digest=taken.digest))
