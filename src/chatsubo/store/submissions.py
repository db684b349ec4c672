"""Queries on submissions, and on the flags that were accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.scoring import Solve
from chatsubo.store.tables import accounts, boxes, flags, solves, submissions
from chatsubo.store.upsert import insertion


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission as it is written."""

    account_id: int
    box_id: int | None
    flag_id: int | None
    session_id: str | None
    value: str
    verdict: str
    shared_by: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class NamedSubmission:
    """A submission with the names of what it is about."""

    id: int
    username: str
    box: str | None
    flag: str | None
    value: str
    verdict: str
    shared_by: str | None
    at: datetime


async def insert_submission(tx: AsyncConnection, submission: Submission) -> int:
    """Insert a submission and return its id."""
    values = {name: getattr(submission, name) for name in Submission.__slots__}
    return int((await tx.execute(insert(submissions).values(values).returning(submissions.c.id))).scalar_one())


async def insert_solve(
    tx: AsyncConnection, *, flag_id: int, account_id: int, session_id: str | None, submission_id: int, at: datetime
) -> bool:
    """Insert an accepted flag; ``False`` if this account had it already. Atomic, whatever races."""
    statement = (
        insertion(tx, solves)
        .values(flag_id=flag_id, account_id=account_id, session_id=session_id, submission_id=submission_id, at=at)
        .on_conflict_do_nothing(index_elements=[solves.c.flag_id, solves.c.account_id])
        .returning(solves.c.id)
    )
    return (await tx.execute(statement)).first() is not None


async def all_solves(tx: AsyncConnection) -> list[Solve]:
    """Return every accepted flag of accounts that are not banned, the first first."""
    statement = (
        select(solves.c.account_id, solves.c.flag_id, solves.c.at)
        .join(accounts, accounts.c.id == solves.c.account_id)
        .where(accounts.c.banned_at.is_(None))
        .order_by(solves.c.at, solves.c.id)
    )
    return [Solve(*row) for row in await tx.execute(statement)]


async def solves_version(tx: AsyncConnection) -> tuple[int, int]:
    """Return how many flags were accepted and the newest one's id: they change whenever a flag is accepted."""
    row = (await tx.execute(select(func.count(), func.coalesce(func.max(solves.c.id), 0)).select_from(solves))).one()
    return int(row[0]), int(row[1])


async def found_by(tx: AsyncConnection, account_id: int) -> dict[int, datetime]:
    """Return the flags that the account has found, with when."""
    statement = select(solves.c.flag_id, solves.c.at).where(solves.c.account_id == account_id)
    return dict((await tx.execute(statement)).all())


async def has_solved(tx: AsyncConnection, account_id: int, flag_ids: Sequence[int]) -> set[int]:
    """Return which of ``flag_ids`` the account has found."""
    statement = select(solves.c.flag_id).where(solves.c.account_id == account_id, solves.c.flag_id.in_(flag_ids))
    return set((await tx.execute(statement)).scalars())


async def count_done(tx: AsyncConnection, flag_ids: Sequence[int]) -> int:
    """Return how many accounts that are not banned have found all of ``flag_ids``; two stands for two or more."""
    done = (
        select(solves.c.account_id)
        .join(accounts, accounts.c.id == solves.c.account_id)
        .where(solves.c.flag_id.in_(flag_ids), accounts.c.banned_at.is_(None))
        .group_by(solves.c.account_id)
        .having(func.count() == len(flag_ids))
        .limit(2)
        .subquery()
    )
    return int((await tx.execute(select(func.count()).select_from(done))).scalar_one())


async def set_verdict(tx: AsyncConnection, submission_id: int, verdict: str) -> None:
    """Correct what became of a submission."""
    await tx.execute(update(submissions).where(submissions.c.id == submission_id).values(verdict=verdict))


async def recent_submissions(tx: AsyncConnection, *, limit: int, verdict: str | None = None) -> list[NamedSubmission]:
    """Return the newest submissions, those with one verdict or all."""
    sharers = accounts.alias("sharers")
    statement = (
        select(
            submissions.c.id,
            accounts.c.username,
            boxes.c.name,
            flags.c.name,
            submissions.c.value,
            submissions.c.verdict,
            sharers.c.username,
            submissions.c.at,
        )
        .join(accounts, accounts.c.id == submissions.c.account_id)
        .outerjoin(sharers, sharers.c.id == submissions.c.shared_by)
        .outerjoin(boxes, boxes.c.id == submissions.c.box_id)
        .outerjoin(flags, flags.c.id == submissions.c.flag_id)
        .order_by(submissions.c.id.desc())
        .limit(limit)
    )
    if verdict is not None:
        statement = statement.where(submissions.c.verdict == verdict)
    return [NamedSubmission(*row) for row in await tx.execute(statement)]


async def totals(tx: AsyncConnection) -> tuple[int, int, int, int]:
    """Return how many accounts, open boxes, accepted flags that count and submissions there are."""
    open_boxes = select(func.count()).where(
        boxes.c.released_at.is_not(None), boxes.c.retired_at.is_(None), boxes.c.deleted_at.is_(None)
    )
    counting = solves.join(flags, flags.c.id == solves.c.flag_id).join(boxes, boxes.c.id == flags.c.box_id)
    counts = [
        select(func.count()).select_from(accounts),
        open_boxes,
        select(func.count()).select_from(counting).where(flags.c.deleted_at.is_(None), boxes.c.deleted_at.is_(None)),
        select(func.count()).select_from(submissions),
    ]
    row = (await tx.execute(select(*(count.scalar_subquery() for count in counts)))).one()
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])
