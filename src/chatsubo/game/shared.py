"""Machines that all players share: anybody may ask for a reset, and everyone is told before and after."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import AskedLately, NotFound, NothingAnnounced, NothingShared
from chatsubo.domain.text import N_, Text
from chatsubo.game.actor import Actor
from chatsubo.game.admittance import let_look, let_play
from chatsubo.game.offers import OffersReader
from chatsubo.game.snapshot import Snapshots
from chatsubo.live.news import News
from chatsubo.store import shared_resets as store
from chatsubo.store.boxes import Box
from chatsubo.store.database import Database
from chatsubo.store.notices import insert_notice

NOTICE = timedelta(minutes=5)
"""How long before a reset everyone is told of it."""
AGAIN_AFTER = timedelta(minutes=30)
"""How long a player waits between two resets that they ask for."""

ABOUT_TO = N_("{box} in {realm} will be brought back to its initial state in {minutes} min. {username} asked for it.")
CALLED_OFF = N_("The reset of {box} in {realm} was called off.")


class SharedMachines:
    """What people do with machines that belong to nobody. It commits what is wanted, the lab carries it out."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        snapshots: Snapshots,
        offers: OffersReader,
        news: News,
        wake: Callable[[], None],
    ) -> None:
        """Keep what it works with.

        Args:
            db: Where resets and notices are written.
            clock: The time of day.
            snapshots: The boxes.
            offers: What providers show.
            news: Tells browsers of what changes.
            wake: Tells the lab that there is something to do.
        """
        self._db = db
        self._clock = clock
        self._snapshots = snapshots
        self._offers = offers
        self._news = news
        self._wake = wake

    async def ask_reset(self, actor: Actor, box_slug: str, realm: str | None = None, *, at_once: bool = False) -> None:
        """Ask for the shared machines of a box to be brought back to their initial state.

        Everyone is told, and five minutes later it is done; of a reset that is announced already there is no second.

        Args:
            actor: Who asks. A player may ask every 30 minutes, an organiser at any time.
            box_slug: Which box.
            realm: In which realm; ``None`` for all.
            at_once: Without the five minutes; also for a reset that is announced. For organisers.

        Raises:
            AskedLately: If the player asked for a reset less than 30 minutes ago.
            Forbidden: If a player wants it at once.
            NotFound: If there is no such box.
            NothingShared: If no provider shows a shared machine of it.
        """
        if at_once:
            actor.must_be_admin()
        box = await self._box(actor, box_slug)
        now = self._clock()
        async with self._db.write() as tx:
            await let_play(tx, actor, now)
            machines = await self._machines(tx, box, realm)
            announced = [one for one in await store.live_resets(tx, box.template) if realm in (None, one.realm)]
            missing = machines - {(one.provider, one.realm) for one in announced}
            again_at = may_ask_again(actor, await store.last_asked(tx, actor.account_id), now)
            if missing and again_at is not None:
                raise AskedLately(ceil((again_at - now).total_seconds()))
            asked = {"box_id": box.id, "template": box.template, "asked_by": actor.account_id, "asked_at": now}
            due_at = now if at_once else now + NOTICE
            begun = {
                place[1]
                for place in sorted(missing)
                if await _insert(tx, provider=place[0], realm=place[1], due_at=due_at, **asked)
            }
            if at_once:
                for one in announced:
                    await store.hasten_reset(tx, one.id, now)
            else:
                words = {"box": box.name, "minutes": NOTICE // timedelta(minutes=1), "username": actor.username}
                texts = [Text(ABOUT_TO, {**words, "realm": one}) for one in sorted(begun)]
                await self._write_notices(tx, actor, box, texts)
        self._told(actor, box, noticed=bool(begun) and not at_once)

    async def call_off_reset(self, actor: Actor, box_slug: str, realm: str | None = None) -> None:
        """Call off what was announced, as an organiser; everyone is told.

        Raises:
            Forbidden: If the actor is no organiser.
            NotFound: If there is no such box.
            NothingAnnounced: If no reset is announced, or it is under way already.
        """
        actor.must_be_admin()
        box = await self._box(actor, box_slug)
        now = self._clock()
        async with self._db.write() as tx:
            realms = {
                one.realm
                for one in await store.live_resets(tx, box.template)
                if realm in (None, one.realm) and await store.cancel_reset(tx, one.id, now)
            }
            if not realms:
                raise NothingAnnounced
            texts = [Text(CALLED_OFF, {"box": box.name, "realm": one}) for one in sorted(realms)]
            await self._write_notices(tx, actor, box, texts)
        self._told(actor, box, noticed=True)

    async def _box(self, actor: Actor, slug: str) -> Box:
        """Return the box, or an open one that has the same machines: players are told by the name that they know."""
        async with self._db.read() as tx:
            await let_look(tx, actor, self._clock())
        boxes = (await self._snapshots.current()).boxes.values()
        box = next((one for one in boxes if one.slug == slug and (one.is_open or actor.is_admin)), None)
        if box is None:
            raise NotFound
        played = (one for one in boxes if one.is_open and not one.dynamic and one.template == box.template)
        return box if box.is_open else next(played, box)

    async def _machines(self, tx: AsyncConnection, box: Box, realm: str | None) -> set[tuple[str, str]]:
        """Return provider and realm of each shared machine of the box."""
        offers = await self._offers.read(tx)
        machines = {(provider, one.realm) for provider, one in offers.shared(box) if realm in (None, one.realm)}
        if not machines:
            raise NothingShared
        return machines

    async def _write_notices(self, tx: AsyncConnection, actor: Actor, box: Box, texts: Iterable[Text]) -> None:
        link, at = f"/boxes/{box.slug}", self._clock()
        for text in texts:
            await insert_notice(tx, account_id=_readers(actor, box), kind="info", text=text, link=link, at=at)

    def _told(self, actor: Actor, box: Box, *, noticed: bool) -> None:
        self._wake()
        self._news.boxes()
        if noticed:
            self._news.notice(_readers(actor, box))


def may_ask_again(actor: Actor, asked_at: datetime | None, now: datetime) -> datetime | None:
    """Return when the actor, who last asked at ``asked_at``, may ask for a reset again; ``None`` if that is now."""
    if actor.is_admin or asked_at is None or asked_at + AGAIN_AFTER <= now:
        return None
    return asked_at + AGAIN_AFTER


def _readers(actor: Actor, box: Box) -> int | None:
    """Return whom a notice is for: everyone, or of a box that players do not see, the actor alone."""
    return None if box.is_open else actor.account_id


async def _insert(tx: AsyncConnection, **columns: Any) -> bool:
    """Add a reset, unless another request was faster."""
    try:
        async with tx.begin_nested():
            await store.insert_reset(tx, **columns)
    except IntegrityError:
        return False
    return True
