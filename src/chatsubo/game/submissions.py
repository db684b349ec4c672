"""Submitting flags: the one place where points are won."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import NotFound
from chatsubo.domain.flags import clean_flag, digest, matches
from chatsubo.domain.text import N_, Text
from chatsubo.game import rate_limits
from chatsubo.game.actor import Actor
from chatsubo.game.admittance import let_look, let_play
from chatsubo.game.rate_limits import RateLimiter
from chatsubo.game.snapshot import Snapshot, Snapshots
from chatsubo.game.views import Verdict
from chatsubo.live.news import News
from chatsubo.store import submissions as store
from chatsubo.store.boxes import Box, FlagRow, lock_box
from chatsubo.store.database import Database
from chatsubo.store.notices import insert_notice
from chatsubo.store.sessions import GivenValue, given_values, live_sessions, owner_of_value
from chatsubo.store.submissions import Submission

GRACE = timedelta(minutes=10)
"""How long an ended session's own values still count."""

CORRECT = N_("Correct! Points: {points}.")
REPEATED = N_("You already have this flag.")
WRONG = N_("That is not a flag of yours. Look closer.")
FIRST_BLOOD = N_("First blood: {username} has taken all flags of {box}.")


@dataclass(frozen=True, slots=True)
class _Match:
    """A flag that a submission is the value of, and the session that gave it."""

    box: Box
    flag: FlagRow
    session_id: str | None


class Submissions:
    """Checks flags, and writes down every try."""

    def __init__(self, db: Database, clock: Clock, limiter: RateLimiter, snapshots: Snapshots, news: News) -> None:
        self._db = db
        self._clock = clock
        self._limiter = limiter
        self._snapshots = snapshots
        self._news = news

    async def submit(self, actor: Actor, value: str, box_slug: str | None = None) -> Verdict:
        """Check a flag for the acting account, of one box or of any.

        Another player's value is refused like a wrong one; organisers see whose it was.

        Args:
            actor: Who submits.
            value: What was typed.
            box_slug: The box that it is meant for, if the player said so. Else, of several boxes with this flag, it
                counts for one whose machine the player has now, or for the first that it was not taken of yet.

        Raises:
            Banned: If the player was banned meanwhile.
            EventOver: If the event has ended.
            Invalid: If it cannot be a flag.
            NotFound: If there is no such box.
            NotOpenYet: If the event has not begun.
            RateLimited: If there were too many tries.
        """
        await self._limiter.spend(rate_limits.FLAG, actor.account_id)
        flag = clean_flag(value)
        now = self._clock()
        async with self._db.read() as tx:
            await let_look(tx, actor, now)
        snapshot = await self._snapshots.current()
        boxes = _open_boxes(snapshot, box_slug)
        async with self._db.read() as tx:
            given = await given_values(tx, actor.account_id, since=now - GRACE)
            match = await _meant(tx, actor, _find(snapshot, boxes, given, flag))
        if match is None:
            return await self._refuse(actor, flag, boxes[0] if box_slug else None, now)
        return await self._accept(actor, flag, match, snapshot, now)

    async def _refuse(self, actor: Actor, flag: str, box: Box | None, now: datetime) -> Verdict:
        async with self._db.write() as tx:
            await let_play(tx, actor, now)
            sharer = await owner_of_value(tx, digest(flag), excluding=actor.account_id)
            await store.insert_submission(
                tx,
                Submission(
                    account_id=actor.account_id,
                    box_id=box.id if box else None,
                    flag_id=None,
                    session_id=None,
                    value=flag,
                    verdict="shared" if sharer is not None else "wrong",
                    shared_by=sharer,
                    at=now,
                ),
            )
        self._news.submission()
        return Verdict(verdict="wrong", text=Text(WRONG))

    async def _accept(self, actor: Actor, flag: str, match: _Match, snapshot: Snapshot, now: datetime) -> Verdict:
        flag_ids = [one.id for one in snapshot.flags[match.box.id]]
        async with self._db.write() as tx:
            await let_play(tx, actor, now)
            await lock_box(tx, match.box.id)  # of several who finish it at once, the first is the first
            is_new = await _write(tx, actor, flag, match, now)
            done = is_new and await store.has_solved(tx, actor.account_id, flag_ids) == set(flag_ids)
            first = done and await store.count_done(tx, flag_ids) == 1
            if first:
                names = {"username": actor.username, "box": match.box.name}
                await insert_notice(
                    tx,
                    account_id=None,
                    kind="good",
                    text=Text(FIRST_BLOOD, names),
                    link=f"/boxes/{match.box.slug}",
                    at=now,
                )
        self._tell(actor, match, is_new=is_new, first=first)
        return Verdict(
            verdict="correct" if is_new else "repeated",
            text=Text(CORRECT, {"points": match.flag.points}) if is_new else Text(REPEATED),
            box=match.box.name,
            box_slug=match.box.slug,
            flag=match.flag.name,
            flag_id=match.flag.id,
            points=match.flag.points,
            first_blood=first,
            box_done=done,
        )

    def _tell(self, actor: Actor, match: _Match, *, is_new: bool, first: bool) -> None:
        self._news.submission()
        if is_new:
            self._news.solve(actor.account_id, match.box.id, match.flag.id)
            self._snapshots.changed()
        if first:
            self._news.notice()


async def _write(tx: AsyncConnection, actor: Actor, flag: str, match: _Match, now: datetime) -> bool:
    """Write a right submission, and the solve where it is the first; say whether it is."""
    submission_id = await store.insert_submission(
        tx,
        Submission(
            account_id=actor.account_id,
            box_id=match.box.id,
            flag_id=match.flag.id,
            session_id=match.session_id,
            value=flag,
            verdict="correct",
            shared_by=None,
            at=now,
        ),
    )
    is_new = await store.insert_solve(
        tx,
        flag_id=match.flag.id,
        account_id=actor.account_id,
        session_id=match.session_id,
        submission_id=submission_id,
        at=now,
    )
    if not is_new:
        await store.set_verdict(tx, submission_id, "repeated")
    return is_new


def _open_boxes(snapshot: Snapshot, slug: str | None) -> Sequence[Box]:
    boxes = [box for box in snapshot.boxes.values() if box.is_open and slug in (None, box.slug)]
    if slug is not None and not boxes:
        raise NotFound
    return boxes


def _find(snapshot: Snapshot, boxes: Iterable[Box], given: Iterable[GivenValue], value: str) -> list[_Match]:
    """Compare ``value`` with every flag that it may be, to the end, and return those that it is."""
    own: dict[tuple[int, str], list[GivenValue]] = {}
    for one in given:
        own.setdefault((one.box_id, one.name), []).append(one)
    return [
        _Match(box, flag, session_id)
        for box in boxes
        for flag in snapshot.flags.get(box.id, ())
        for session_id, expected in _expected(flag, own)
        if matches(value, expected, case_insensitive=flag.case_insensitive)
    ]


async def _meant(tx: AsyncConnection, actor: Actor, found: Sequence[_Match]) -> _Match | None:
    """Return the one that the player means, of several flags with one value: see :meth:`Submissions.submit`."""
    if len(found) < 2:  # noqa: PLR2004
        return next(iter(found), None)
    played = {one.box_id for one in await live_sessions(tx, actor.account_id)}
    taken = await store.found_by(tx, actor.account_id)
    return min(found, key=lambda one: (one.box.id not in played, one.flag.id in taken))


def _expected(flag: FlagRow, own: Mapping[tuple[int, str], Sequence[GivenValue]]) -> list[tuple[str | None, str]]:
    """Return the values that ``flag`` has for the player, each with the session that gave it."""
    if not flag.dynamic:
        return [(None, flag.value)]
    return [(one.session_id, one.value) for one in own.get((flag.box_id, flag.name.lower()), ())]
