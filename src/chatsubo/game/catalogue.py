"""What there is to play: tracks and boxes, as one reader may see them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from chatsubo.domain.boxes import level
from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import NotFound
from chatsubo.domain.sessions import State
from chatsubo.game.actor import Actor
from chatsubo.game.admittance import is_over, sees_boxes
from chatsubo.game.machines import session_view, shared_machine
from chatsubo.game.offers import Offers, OffersReader
from chatsubo.game.shared import may_ask_again
from chatsubo.game.snapshot import Snapshot, Snapshots
from chatsubo.game.views import (
    BoxCard,
    BoxView,
    FlagCard,
    Me,
    RealmView,
    TrackView,
)
from chatsubo.store.boxes import Box, all_boxes
from chatsubo.store.database import Database
from chatsubo.store.queue import queue_position
from chatsubo.store.sessions import Session, last_session, live_sessions
from chatsubo.store.shared_resets import last_asked, live_resets
from chatsubo.store.submissions import found_by

Found = Mapping[int, datetime]


class Catalogue:
    """Answers for one reader each, made from the snapshot and from what is the reader's own."""

    def __init__(
        self, db: Database, clock: Clock, snapshots: Snapshots, offers: OffersReader, gated_realms: Iterable[str]
    ) -> None:
        """Keep what it works with.

        Args:
            db: Where the reader's own solves and sessions are.
            clock: The time of day.
            snapshots: What everyone sees.
            offers: What providers offer.
            gated_realms: The realms that players reach through a gate.
        """
        self._db = db
        self._clock = clock
        self._snapshots = snapshots
        self._offers = offers
        self._gated = frozenset(gated_realms)

    async def frame(self, actor: Actor) -> tuple[Me, list[TrackView]]:
        """Return what stands around every page: the reader's own line, and the tracks that have boxes, in their order.

        Score and flags are those of this moment, the rank is the snapshot's.
        """
        snapshot = await self._snapshots.current()
        async with self._db.read() as tx:
            found = await found_by(tx, actor.account_id)
            shown = await sees_boxes(tx, actor, self._clock())
        return _me(snapshot, actor, found), list(_tracks(snapshot, found)) if shown else []

    async def me(self, actor: Actor) -> Me:
        """Return the reader's own line."""
        return (await self.frame(actor))[0]

    async def tracks(self, actor: Actor) -> list[TrackView]:
        """Return the tracks that have boxes the reader may see, in their order."""
        return (await self.frame(actor))[1]

    async def boxes(self, actor: Actor, track: str | None = None, *, everything: bool = False) -> list[BoxCard]:
        """Return the boxes, of one track or all; none to a player before the event.

        Args:
            actor: Who reads.
            track: A track's slug.
            everything: For organisers: unreleased, retired and deleted boxes too.

        Raises:
            Forbidden: If a player asks for everything.
        """
        if everything:
            actor.must_be_admin()
        snapshot = await self._snapshots.current()
        async with self._db.read() as tx:
            if not await sees_boxes(tx, actor, self._clock()):
                return []
            offers = await self._offers.read(tx)
            found = await found_by(tx, actor.account_id)
            live = {one.box_id: one for one in await live_sessions(tx, actor.account_id)}
            boxes = await all_boxes(tx) if everything else list(snapshot.boxes.values())
        return [
            _card(snapshot, box, found, live.get(box.id), offers)
            for box in boxes
            if (box.is_open or everything) and track in (None, box.track)
        ]

    async def box(self, actor: Actor, slug: str) -> BoxView:
        """Return a box's whole page.

        Raises:
            NotFound: If there is no such box, or it is not released and the reader is no organiser.
            NotOpenYet: If the event has not begun and the reader is no organiser.
        """
        snapshot = await self._snapshots.current()
        box = next((one for one in snapshot.boxes.values() if one.slug == slug), None)
        async with self._db.read() as tx:
            # First: before the event nobody learns which boxes there are.
            over = await is_over(tx, actor, self._clock())
            if box is None or not (box.is_open or actor.is_admin):
                raise NotFound
            offers = await self._offers.read(tx)
            found = await found_by(tx, actor.account_id)
            session = await last_session(tx, actor.account_id, box.id)
            place = await queue_position(tx, session.id) if session else None
            resets = await live_resets(tx, box.template)
            asked_at = await last_asked(tx, actor.account_id)
        live = session if session and session.is_live else None
        problem = offers.problem(box)
        return BoxView(
            card=_card(snapshot, box, found, live, offers),
            description=box.description,
            authors=tuple(box.authors),
            flags=tuple(_flags(snapshot, box, found)),
            duration=box.duration,
            realms=tuple(RealmView(name=realm, has_gate=realm in self._gated) for realm in offers.realms(box)),
            session=session_view(session, box.slug, place, self._clock())
            if session and session.state is not State.STOPPED
            else None,
            shared=tuple(shared_machine(provider, one, resets) for provider, one in offers.shared(box)),
            reset_from=may_ask_again(actor, asked_at, self._clock()),
            problem=problem[0] if problem else None,
            problem_since=problem[1] if problem else None,
            over=over,
        )

    async def shows_picture(self, actor: Actor, name: str) -> bool:
        """Say whether the reader may see a picture: one of boxes that players do not see yet is for organisers."""
        async with self._db.read() as tx:
            shown = await sees_boxes(tx, actor, self._clock())
        boxes = [box for box in (await self._snapshots.current()).boxes.values() if box.picture == name]
        return actor.is_admin or not boxes or (shown and any(box.released_at is not None for box in boxes))


def _me(snapshot: Snapshot, actor: Actor, found: Found) -> Me:
    row = snapshot.rows.get(actor.account_id)
    worth = [snapshot.points[flag_id] for flag_id in found if flag_id in snapshot.points]
    return Me(
        id=actor.account_id,
        username=actor.username,
        role=actor.role,
        score=sum(worth),
        found=len(worth),
        rank=row.rank if row else None,
    )


def _tracks(snapshot: Snapshot, found: Found) -> Iterable[TrackView]:
    for track in snapshot.tracks:
        boxes = [box for box in snapshot.boxes.values() if box.track == track.slug and box.is_open]
        flags = [flag for box in boxes for flag in snapshot.flags.get(box.id, ())]
        if boxes:
            yield TrackView(
                id=track.id,
                slug=track.slug,
                name=track.name,
                icon=track.icon,
                boxes=len(boxes),
                flags=len(flags),
                found=sum(flag.id in found for flag in flags),
            )


def _card(snapshot: Snapshot, box: Box, found: Found, session: Session | None, offers: Offers) -> BoxCard:
    flags = snapshot.flags.get(box.id, ())
    return BoxCard(
        id=box.id,
        slug=box.slug,
        name=box.name,
        track=box.track,
        track_name=box.track_name,
        os=box.os,
        difficulty=box.difficulty,
        level=level(box.difficulty),
        picture=box.picture,
        dynamic=box.dynamic,
        flags=len(flags),
        found=sum(flag.id in found for flag in flags),
        points=sum(flag.points for flag in flags),
        first_blood=snapshot.first_blood(box.id),
        state=session.state.value if session else None,
        expires_at=session.expires_at if session else None,
        available=offers.problem(box) is None,
        released=box.released_at is not None,
        retired=box.retired_at is not None,
        deleted=box.deleted_at is not None,
    )


def _flags(snapshot: Snapshot, box: Box, found: Found) -> Iterable[FlagCard]:
    for flag in snapshot.flags.get(box.id, ()):
        at = found.get(flag.id)
        finders = snapshot.finders.get(flag.id, 0)
        yield FlagCard(
            id=flag.id,
            name=flag.name,
            points=flag.points,
            icon=flag.icon,
            mark=flag.mark,
            found_at=at,
            finders=max(finders, 1) if at else finders,
        )
