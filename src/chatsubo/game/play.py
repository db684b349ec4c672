"""Playing: start, stop, reset and extend one's own machines."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import AlreadyRunning, NotFound, NothingRunning, NotStartable, TooManyRunning
from chatsubo.domain.sessions import State
from chatsubo.game import rate_limits
from chatsubo.game.actor import Actor
from chatsubo.game.admittance import let_in, let_look, let_play
from chatsubo.game.machines import EXTENSION_MINUTES, MAX_EXTENSIONS, session_view
from chatsubo.game.offers import OffersReader
from chatsubo.game.rate_limits import RateLimiter
from chatsubo.game.snapshot import Snapshots
from chatsubo.game.views import SessionView
from chatsubo.lab.intents import ask_reset, ask_stop, extend, open_session
from chatsubo.lab.placement import place
from chatsubo.live.news import News
from chatsubo.store.boxes import Box, hold_box
from chatsubo.store.database import Database
from chatsubo.store.queue import queue_position
from chatsubo.store.sessions import count_live, get_session, last_session, live_session, live_sessions
from chatsubo.store.settings import read_setting

MAX_RUNNING = 3
"""How many live sessions a player may have, unless the setting ``max_running`` says otherwise."""


class Play:
    """What players do with machines: it commits what is wanted, the lab carries it out."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        limiter: RateLimiter,
        snapshots: Snapshots,
        offers: OffersReader,
        news: News,
        wake: Callable[[], None],
        prefixes: Mapping[str, str],
    ) -> None:
        """Keep what it works with.

        Args:
            db: Where intents are committed.
            clock: The time of day.
            limiter: Limits how often somebody may start.
            snapshots: The boxes.
            offers: What providers offer.
            news: Tells of what changes at once.
            wake: Tells the lab that there is a new intent.
            prefixes: What dynamic flags begin with, by provider.
        """
        self._db = db
        self._clock = clock
        self._limiter = limiter
        self._snapshots = snapshots
        self._offers = offers
        self._news = news
        self._wake = wake
        self._prefixes = prefixes

    async def start(self, actor: Actor, box_slug: str, realm: str | None = None) -> SessionView:
        """Ask for an own machine of a box.

        Args:
            actor: Who plays.
            box_slug: Which box.
            realm: In which realm; ``None`` for any.

        Raises:
            AlreadyRunning: If there is one already.
            Banned: If the player was banned meanwhile.
            EventOver: If the event has ended.
            NotFound: If there is no such box.
            NotOpenYet: If the event has not begun.
            NotStartable: If no provider offers it on demand there.
            RateLimited: If there were too many starts.
            TooManyRunning: If the player's quota is used up.
        """
        await self._limiter.spend(rate_limits.START, actor.account_id)
        box = await self._box(actor, box_slug)
        async with self._db.read() as tx:
            offers = await self._offers.read(tx)
            chosen = place(offers.listings, box.template, realm, await count_live(tx))
        if not box.dynamic or chosen is None:
            raise NotStartable
        async with self._db.write() as tx:
            await let_play(tx, actor, self._clock())
            await _check_open(tx, actor, box)
            await _check_quota(tx, actor, box)
            session_id = await open_session(
                tx,
                account_id=actor.account_id,
                box_id=box.id,
                template=box.template,
                provider=chosen.provider,
                realm=realm or chosen.realms[0],
                duration=box.duration,
                prefix=self._prefixes.get(chosen.provider, "FLAG"),
                now=self._clock(),
            )
        return await self._changed(actor, box, session_id)

    async def stop(self, actor: Actor, box_slug: str) -> SessionView:
        """Ask for the end of one's own machine.

        Raises:
            NotFound: If there is no such box.
            NothingRunning: If there is no live session of it.
        """
        return await self._ask(actor, box_slug, ask_stop)

    async def reset(self, actor: Actor, box_slug: str) -> SessionView:
        """Ask for one's own machine to be brought back to its initial state.

        Raises:
            Busy: If it does not run just now.
            NotFound: If there is no such box.
            NothingRunning: If there is no live session of it.
            RateLimited: If there were too many starts and resets.
        """
        await self._limiter.spend(rate_limits.START, actor.account_id)
        return await self._ask(actor, box_slug, ask_reset)

    async def extend(self, actor: Actor, box_slug: str) -> SessionView:
        """Ask for half an hour more.

        Raises:
            Busy: If it does not run just now.
            ExtensionsUsedUp: If it was extended too often.
            NotFound: If there is no such box.
            NothingRunning: If there is no live session of it.
        """
        return await self._ask(actor, box_slug, partial(extend, minutes=EXTENSION_MINUTES, limit=MAX_EXTENSIONS))

    async def session(self, actor: Actor, box_slug: str) -> SessionView | None:
        """Return one's own session of a box: the live one, or the last one if that failed.

        Raises:
            NotFound: If there is no such box.
        """
        box = await self._box(actor, box_slug)
        async with self._db.read() as tx:
            session = await last_session(tx, actor.account_id, box.id)
            if session is None or session.state is State.STOPPED:
                return None
            return session_view(session, box.slug, await queue_position(tx, session.id), self._clock())

    async def sessions(self, actor: Actor) -> list[SessionView]:
        """Return one's own live sessions, oldest first."""
        snapshot = await self._snapshots.current()
        async with self._db.read() as tx:
            return [
                session_view(one, box.slug, await queue_position(tx, one.id), self._clock())
                for one in await live_sessions(tx, actor.account_id)
                if one.box_id is not None and (box := snapshot.boxes.get(one.box_id))
            ]

    async def _box(self, actor: Actor, slug: str) -> Box:
        async with self._db.read() as tx:
            await let_look(tx, actor, self._clock())
        for box in (await self._snapshots.current()).boxes.values():
            if box.slug == slug and (box.is_open or actor.is_admin):
                return box
        raise NotFound

    async def _ask(self, actor: Actor, slug: str, ask: Callable[..., Awaitable[object]]) -> SessionView:
        """Ask for something, as :mod:`chatsubo.lab.intents` does, of the player's live session of a box."""
        box = await self._box(actor, slug)
        async with self._db.write() as tx:
            await (let_in(tx, actor) if ask is ask_stop else let_play(tx, actor, self._clock()))
            session = await live_session(tx, actor.account_id, box.id)
            if session is None:
                raise NothingRunning
            await ask(tx, session.id, now=self._clock())
        return await self._changed(actor, box, session.id)

    async def _changed(self, actor: Actor, box: Box, session_id: str) -> SessionView:
        self._wake()
        async with self._db.read() as tx:
            session = await get_session(tx, session_id)
            assert session is not None
            view = session_view(session, box.slug, await queue_position(tx, session_id), self._clock())
        self._news.session(session_id, actor.account_id, box.id, view.state)
        return view


async def _check_open(tx: AsyncConnection, actor: Actor, box: Box) -> None:
    """Look again at a box that may have been taken out of play meanwhile; until the start is written it stays."""
    now = await hold_box(tx, box.id)
    if now is None or now.deleted_at is not None or not (now.is_open or actor.is_admin):
        raise NotFound


async def _check_quota(tx: AsyncConnection, actor: Actor, box: Box) -> None:
    live = await live_sessions(tx, actor.account_id)
    if any(one.box_id == box.id for one in live):
        raise AlreadyRunning
    limit = int(await read_setting(tx, "max_running") or MAX_RUNNING)
    held = [one for one in live if one.state is not State.STOPPING]  # one that ends is no longer the player's to stop
    if len(held) >= limit:
        raise TooManyRunning(limit=limit)
