"""The organisers' desk: what needs attention, what runs, what could be registered."""

from collections.abc import Callable, Iterable

from chatsubo.domain.boxes import slugify
from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import NotFound
from chatsubo.domain.sessions import Event, State, transition
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
from chatsubo.live.news import News
from chatsubo.store.accounts import usernames
from chatsubo.store.database import Database
from chatsubo.store.listings import ListedTemplate, ProviderListing
from chatsubo.store.sessions import Session, ended_sessions, get_session, live_sessions, read_log, sessions_for_desk
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
        news: News,
        *,
        wake: Callable[[], None],
        look_again: Callable[[str], None],
        disabled_plugins: Iterable[DisabledPlugin] = (),
    ) -> None:
        self._disabled_plugins = tuple(disabled_plugins)
        self._db = db
        self._clock = clock
        self._snapshots = snapshots
        self._offers = offers
        self._news = news
        self._wake = wake
        self._look_again = look_again

    async def overview(self, actor: Actor) -> DeskView:
        """Return the desk's first page."""
        actor.must_be_admin()
        snapshot = await self._snapshots.current()
        async with self._db.read() as tx:
            listings = (await self._offers.read(tx)).listings
            failed = await ended_sessions(tx, {State.FAILED}, RECENT)
            live = await live_sessions(tx)
            names = await usernames(tx)
            shared = await recent_submissions(tx, limit=RECENT, verdict="shared")
            accounts, boxes, solves, submissions = await totals(tx)
        return DeskView(
            providers=tuple(_provider(listing) for listing in listings),
            disabled_plugins=self._disabled_plugins,
            rejected=tuple(_rejected(listings)),
            failed=tuple(_session(one, snapshot, names) for one in failed),
            shared=tuple(DeskSubmission(**{name: getattr(one, name) for name in one.__slots__}) for one in shared),
            running=tuple(_session(one, snapshot, names) for one in reversed(live)),
            accounts=accounts,
            boxes=boxes,
            solves=solves,
            submissions=submissions,
        )

    async def look_again(self, actor: Actor, provider: str) -> None:
        """Let everything on a provider be looked at anew; what changed is told when it is found.

        Raises:
            NotFound: If there is no such provider.
        """
        actor.must_be_admin()
        async with self._db.read() as tx:
            listings = (await self._offers.read(tx)).listings
        if all(listing.provider != provider for listing in listings):
            raise NotFound
        self._look_again(provider)

    async def templates(self, actor: Actor) -> list[TemplateView]:
        """Return all templates that providers offer, with the registration form prefilled for each, by name."""
        actor.must_be_admin()
        snapshot = await self._snapshots.current()
        async with self._db.read() as tx:
            listings = (await self._offers.read(tx)).listings
        names = sorted({template.name for listing in listings for template in listing.templates})
        return [_template(name, listings, snapshot) for name in names]

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
        state = transition(session.state, Event.ASK_STOP)
        self._news.session(session.id, session.account_id, session.box_id, state)

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


def _provider(listing: ProviderListing) -> ProviderView:
    return ProviderView(
        name=listing.provider,
        kind=listing.kind,
        is_dynamic=listing.is_dynamic,
        realms=listing.realms,
        templates=len(listing.templates),
        instances=len(listing.instances),
        seen_at=listing.seen_at,
        took=listing.took,
        problem=listing.problem,
        problem_detail=listing.problem_detail,
        problem_since=listing.problem_since,
    )


def _rejected(listings: Iterable[ProviderListing]) -> Iterable[RejectedView]:
    for listing in listings:
        for one in listing.rejected:
            yield RejectedView(provider=listing.provider, name=one.name, reason=one.reason)


def _template(name: str, listings: Iterable[ProviderListing], snapshot: Snapshot) -> TemplateView:
    offers = [(listing, template) for listing in listings for template in listing.templates if template.name == name]
    first = offers[0][1]
    missing = [_FIELD.get(field, field) for field in _PREFILLED if getattr(first, field) is None]
    return TemplateView(
        name=name,
        dynamic=any(template.dynamic for _, template in offers),
        providers=tuple(listing.provider for listing, _ in offers),
        realms=tuple(sorted({realm for listing, _ in offers for realm in listing.realms})),
        registered=tuple(box.slug for box in snapshot.boxes.values() if box.template == name),
        warnings=tuple(warning for _, template in offers for warning in template.warnings),
        missing=tuple(missing if first.flags else [*missing, "flags"]),
        form=_prefilled(first, snapshot),
    )


def _prefilled(template: ListedTemplate, snapshot: Snapshot) -> BoxForm:
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
