"""What exists: each provider is looked at in the background, and the last good listing of it is kept.

Providers do not share anything here: one that hangs or is away delays neither the others nor the start.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from datetime import datetime

import structlog
from msgspec.structs import replace

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import ChatsuboError
from chatsubo.lab.calls import bounded
from chatsubo.lab.pace import Pace
from chatsubo.lab.reading import read_each, read_instance, read_rejected, read_template
from chatsubo.lab.reconcile import Reconciler
from chatsubo.live.news import News
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.exc import BackendConnectionException, ProviderError
from chatsubo.store.database import Database
from chatsubo.store.listings import ProviderListing, forget_listings, get_listing, save_listing, touch_listing

JITTER = 0.1
MANY_FAILURES = 10

log = structlog.get_logger(__name__)


class Inventory:
    """The watches over all providers."""

    def __init__(
        self,
        *,
        db: Database,
        providers: Mapping[str, BaseProvider],
        reconciler: Reconciler,
        news: News,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self._db = db
        self._watches = {
            name: Watch(db=db, provider=one, reconciler=reconciler, news=news, clock=clock, pace=pace)
            for name, one in providers.items()
        }

    async def prepare(self) -> None:
        """Make a listing of each configured provider that has none, and forget those of others. Asks no provider."""
        async with self._db.write() as tx:
            await forget_listings(tx, frozenset(self._watches))
            for watch in self._watches.values():
                await save_listing(tx, watch.begin(await get_listing(tx, watch.name)))

    def refresh(self, provider: str) -> None:
        """Look at a provider again soon; a name that is not configured is ignored."""
        if provider in self._watches:
            self._watches[provider].refresh()

    async def run(self) -> None:
        """Watch all providers until cancelled."""
        async with asyncio.TaskGroup() as group:
            for watch in self._watches.values():
                group.create_task(watch.run())


class Watch:
    """The watch over one provider."""

    def __init__(
        self,
        *,
        db: Database,
        provider: BaseProvider,
        reconciler: Reconciler,
        news: News,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self.name = provider.name
        self._db = db
        self._provider = provider
        self._reconciler = reconciler
        self._news = news
        self._clock = clock
        self._pace = pace
        self._wanted = asyncio.Event()
        self._listing = self._blank()
        self._is_dynamic: bool | None = None
        self._failures = 0

    def _blank(self) -> ProviderListing:
        provider = self._provider
        return ProviderListing(
            provider=provider.name,
            kind=provider.kind,
            is_dynamic=bool(provider.is_dynamic),
            realms=tuple(provider.list_realms()),
        )

    def begin(self, stored: ProviderListing | None) -> ProviderListing:
        """Return the listing to begin with: the stored one, with what the configuration says now."""
        blank = self._blank()
        if stored is not None and stored.kind == blank.kind:
            blank = replace(stored, realms=blank.realms)
        self._listing = blank
        return blank

    def refresh(self) -> None:
        """Look again soon."""
        self._wanted.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self._wanted.clear()
            try:
                await self.look()
            except ChatsuboError as error:
                log.warning("inventory.failed", provider=self.name, reason=str(error))
            except Exception:
                log.exception("inventory.failed", provider=self.name)
            await self._pause()

    async def _pause(self) -> None:
        """Wait until it is time to look again: sooner when it is asked for, later while the provider is away."""
        least = self._pace.listing_least
        interval = min(self._pace.listing_most, self._pace.listing * 2.0 ** min(self._failures, MANY_FAILURES))
        await asyncio.sleep(least)
        try:
            async with asyncio.timeout(max(0.0, interval * random.uniform(1 - JITTER, 1 + JITTER) - least)):  # noqa: S311
                await self._wanted.wait()
        except TimeoutError:
            return

    async def look(self) -> None:
        """Look at the provider once, keep what it shows, and reconcile the sessions with it."""
        before = await self._reconciler.settled(self.name)
        began, asked_at = time.monotonic(), self._clock()
        try:
            seen = await bounded(self._ask(), self._pace.listing_limit, self._pace.calling_off)
        except ProviderError as error:
            self._is_dynamic = None
            self._failures += 1
            await self._keep_problem(error)
            return
        self._failures = 0
        strangers = await self._reconciler.strangers(seen.instances)
        took = round((time.monotonic() - began) * 1000)
        await self._keep(replace(seen, rejected=seen.rejected + strangers, seen_at=asked_at, took=took))
        await self._reconciler.compare(self._provider, seen.instances, before)

    async def _ask(self) -> ProviderListing:
        # Where something is missing that starts need, it may be there by now.
        if self._is_dynamic is None or (self._provider.is_dynamic and not self._is_dynamic):
            check = await self._provider.check()
            if not check.reachable:
                # The findings of a provider may name it already, and whoever reads this knows whose problem it is.
                raise BackendConnectionException(error="; ".join(str(one.text) for one in check.findings if not one.ok))
            self._is_dynamic = bool(check.is_dynamic)
        shown, there = await self._provider.list_templates(), await self._provider.list_instances()
        templates, unfit = read_each(shown.items, read_template)
        instances, strange = read_each(there.items, read_instance)
        refused = (*shown.rejected, *there.rejected, *unfit, *strange)
        rejected = {(one.name, str(one.reason)): one for one in refused}
        return replace(
            self._blank(),
            is_dynamic=self._is_dynamic,
            templates=templates,
            instances=instances,
            rejected=tuple(read_rejected(one) for one in rejected.values()),
        )

    async def _keep(self, listing: ProviderListing) -> None:
        known = self._listing
        same = replace(listing, seen_at=known.seen_at, took=known.took) == known
        async with self._db.write() as tx:
            if same and listing.seen_at is not None and listing.took is not None:
                await touch_listing(tx, self.name, listing.seen_at, listing.took)
            else:
                await save_listing(tx, listing)
        self._listing = listing
        if not same:
            if known.problem is not None:
                log.info("provider.back", provider=self.name)
            self._news.provider(self.name, boxes=_for_players(known) != _for_players(listing))

    async def _keep_problem(self, error: ProviderError) -> None:
        known = self._listing
        since: datetime = known.problem_since or self._clock()
        listing = replace(known, problem=error.text, problem_detail=error.detail, problem_since=since)
        if listing == known:
            return
        if known.problem is None:
            log.warning("provider.away", provider=self.name, reason=error.detail)
        async with self._db.write() as tx:
            await save_listing(tx, listing)
        self._listing = listing
        self._news.provider(self.name, boxes=_for_players(known) != _for_players(listing))


def _for_players(listing: ProviderListing) -> ProviderListing:
    """Return what players see of a listing: templates, classic machines and whether there is a problem."""
    classic = tuple(one for one in listing.instances if one.session is None)
    return replace(listing, instances=classic, rejected=(), seen_at=None, took=None, problem_detail=None)
