"""The organisers' desk: what needs attention, what runs, what could be registered."""

from collections.abc import Callable, Iterable

from chatsubo.domain.boxes import slugify
from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import NotFound
from chatsubo.domain.sessions import State
from chatsubo.game.actor import Actor
from chatsubo.game.offers import OffersReader
from chatsubo.game.snapshot import Snapshot, Snapshots
from chatsubo.game.views import (
    BoxForm,
    DeskSession,
    DeskSubmission,
    DeskView,
    DisabledPlugin,
    FlagForm,
    ProviderView,
    RejectedView,
    TemplateView,
)
from chatsubo.lab.intents import ask_stop
from chatsubo.live.bus import ADMINS, Bus, Event, account_topic
from chatsubo.store.accounts import usernames
from chatsubo.store.database import Database
from chatsubo.store.pictures import Picture, TemplatePicture
from chatsubo.store.sessions import Session, get_session, read_log, sessions_for_desk
from chatsubo.store.submissions import recent_submissions, totals

RECENT = 50
"""How many failed sessions and shared flags the desk's first page shows at most."""

_PREFILLED = ("title", "description", "os", "category", "difficulty", "duration")
_FIELD = {"title": "name", "category": "track"}


class Desk:
    """What organisers see and do beyond the boxes themselves. Every call refuses everyone else."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        snapshots: Snapshots,
        offers: OffersReader,
        bus: Bus,
        *,
        wake: Callable[[], None],
        disabled_plugins: Iterable[DisabledPlugin] = (),
    ) -> None:
        self._disabled_plugins = tuple(disabled_plugins)
        self._db = db
        self._clock = clock
        self._snapshots = snapshots
        self._offers = offers
        self._bus = bus
        self._wake = wake

    async def overview(self, actor: Actor) -> DeskView:
        """Return the desk's first page."""
        actor.must_be_admin()
        snapshot = await self._snapshots.current()
        async with self._db.read() as tx:
            pictures = (await self._offers.read(tx)).pictures
            found = await sessions_for_desk(tx, RECENT)
            names = await usernames(tx)
            shared = await recent_submissions(tx, limit=RECENT, verdict="shared")
            accounts, boxes, solves, submissions = await totals(tx)
        sessions = [_session(one, snapshot, names) for one in found]
        return DeskView(
            providers=tuple(_provider(picture) for picture in pictures),
            disabled_plugins=self._disabled_plugins,
            rejected=tuple(_rejected(pictures)),
            failed=tuple(one for one in sessions if one.state == State.FAILED),
            shared=tuple(DeskSubmission(**{name: getattr(one, name) for name in one.__slots__}) for one in shared),
            running=tuple(one for one in sessions if one.ended_at is None),
            accounts=accounts,
            boxes=boxes,
            solves=solves,
            submissions=submissions,
        )

    async def templates(self, actor: Actor) -> list[TemplateView]:
        """Return all templates that providers offer, with the registration form prefilled for each, by name."""
        actor.must_be_admin()
        snapshot = await self._snapshots.current()
        async with self._db.read() as tx:
            pictures = (await self._offers.read(tx)).pictures
        names = sorted({template.name for picture in pictures for template in picture.templates})
        return [_template(name, pictures, snapshot) for name in names]

    async def template(self, actor: Actor, name: str) -> TemplateView:
        """Return one template.

        Raises:
            NotFound: If no provider offers it.
        """
        for view in await self.templates(actor):
            if view.name == name:
                return view
        raise NotFound

    async def sessions(self, actor: Actor, limit: int = 200) -> list[DeskSession]:
        """Return all live sessions, then those that ended last."""
        actor.must_be_admin()
        snapshot = await self._snapshots.current()
        async with self._db.read() as tx:
            names = await usernames(tx)
            return [_session(one, snapshot, names) for one in await sessions_for_desk(tx, limit)]

    async def session(self, actor: Actor, session_id: str) -> DeskSession:
        """Return anybody's session.

        Raises:
            NotFound: If there is no such session.
        """
        actor.must_be_admin()
        snapshot = await self._snapshots.current()
        async with self._db.read() as tx:
            session = await get_session(tx, session_id)
            if session is None:
                raise NotFound
            return _session(session, snapshot, await usernames(tx))

    async def log(self, actor: Actor, session_id: str) -> str:
        """Return the output of a session's builds and starts."""
        actor.must_be_admin()
        async with self._db.read() as tx:
            return await read_log(tx, session_id)

    async def stop_session(self, actor: Actor, session_id: str) -> None:
        """Ask for the end of anybody's session.

        Raises:
            Busy: If it has ended.
            NotFound: If there is no such session.
        """
        actor.must_be_admin()
        async with self._db.write() as tx:
            session = await ask_stop(tx, session_id, self._clock())
        self._wake()
        event = Event("session", {"session": session_id, "box": session.box_id})
        self._bus.publish(ADMINS, Event("desk"))
        if session.account_id is not None:
            self._bus.publish(account_topic(session.account_id), event)

    async def submissions(self, actor: Actor, limit: int = 200, verdict: str | None = None) -> list[DeskSubmission]:
        """Return the newest submissions, those with one verdict or all."""
        actor.must_be_admin()
        async with self._db.read() as tx:
            found = await recent_submissions(tx, limit=limit, verdict=verdict)
        return [DeskSubmission(**{name: getattr(one, name) for name in one.__slots__}) for one in found]


def _session(session: Session, snapshot: Snapshot, names: dict[int, str]) -> DeskSession:
    box = snapshot.boxes.get(session.box_id) if session.box_id is not None else None
    return DeskSession(
        id=session.id,
        username=names.get(session.account_id) if session.account_id is not None else None,
        box=box.name if box else None,
        box_slug=box.slug if box else None,
        provider=session.provider,
        realm=session.realm,
        state=session.state.value,
        stage=session.stage,
        failure=session.failure,
        failure_detail=session.failure_detail,
        address=session.address,
        created_at=session.created_at,
        expires_at=session.expires_at,
        ended_at=session.ended_at,
    )


def _provider(picture: Picture) -> ProviderView:
    return ProviderView(
        name=picture.provider,
        kind=picture.kind,
        is_dynamic=picture.is_dynamic,
        realms=picture.realms,
        templates=len(picture.templates),
        instances=len(picture.instances),
        seen_at=picture.seen_at,
        took=picture.took,
        problem=picture.problem,
        problem_detail=picture.problem_detail,
        problem_since=picture.problem_since,
    )


def _rejected(pictures: Iterable[Picture]) -> Iterable[RejectedView]:
    for picture in pictures:
        for one in picture.rejected:
            yield RejectedView(provider=picture.provider, name=one.name, reason=one.reason)


def _template(name: str, pictures: Iterable[Picture], snapshot: Snapshot) -> TemplateView:
    offers = [(picture, template) for picture in pictures for template in picture.templates if template.name == name]
    first = offers[0][1]
    missing = [_FIELD.get(field, field) for field in _PREFILLED if getattr(first, field) is None]
    return TemplateView(
        name=name,
        dynamic=any(template.dynamic for _, template in offers),
        providers=tuple(picture.provider for picture, _ in offers),
        realms=tuple(sorted({realm for picture, _ in offers for realm in picture.realms})),
        registered=tuple(box.slug for box in snapshot.boxes.values() if box.template == name),
        warnings=tuple(warning for _, template in offers for warning in template.warnings),
        missing=tuple(missing if first.flags else [*missing, "flags"]),
        form=_prefilled(first, snapshot),
    )


def _prefilled(template: TemplatePicture, snapshot: Snapshot) -> BoxForm:
    known = {track.slug for track in snapshot.tracks}
    track = slugify(template.category) if template.category else ""
    return BoxForm(
        template=template.name,
        name=template.title or template.name,
        description=template.description or "",
        os=template.os or "Linux",
        difficulty=template.difficulty or 1,
        duration=template.duration or 60,
        track=track if track in known else "",
        new_track="" if track in known else template.category or "",
        flags=tuple(
            FlagForm(
                name=flag.name,
                value=flag.value,
                points=flag.points,
                mark=flag.name if flag.name in ("user", "root") else None,
                dynamic=template.dynamic and not flag.value,
            )
            for flag in sorted(template.flags, key=lambda one: (one.points, one.name))
        ),
    )
