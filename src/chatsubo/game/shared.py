"""Machines that all players share: an organiser's reset, which everyone is told of."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import NotFound, NothingRunning, Unavailable
from chatsubo.domain.text import N_, Text
from chatsubo.game.actor import Actor
from chatsubo.game.offers import OffersReader, shared_machines
from chatsubo.game.snapshot import Snapshots
from chatsubo.live.news import News
from chatsubo.providers.exc import ProviderError
from chatsubo.store.boxes import Box
from chatsubo.store.database import Database
from chatsubo.store.notices import insert_notice

ResetShared = Callable[[str, str, str], Awaitable[object]]
"""Brings a shared machine back to its initial state: provider, realm, template. Raises ProviderError."""

WAS_RESET = N_("{box} was brought back to its initial state.")
NOT_RESET = N_("{box} could not be brought back to its initial state: {reason}")

log = structlog.get_logger(__name__)


class SharedMachines:
    """What organisers do with machines that belong to nobody."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        snapshots: Snapshots,
        offers: OffersReader,
        news: News,
        reset: ResetShared | None,
    ) -> None:
        """Keep what it works with.

        Args:
            db: Where notices are written.
            clock: The time of day.
            snapshots: The boxes.
            offers: What providers show.
            news: Tells of notices.
            reset: Carries a reset out; ``None`` in a process that talks to no hypervisor.
        """
        self._db = db
        self._clock = clock
        self._snapshots = snapshots
        self._offers = offers
        self._news = news
        self._reset = reset
        self._under_way: dict[tuple[str, str, str], asyncio.Task[None]] = {}

    async def reset(self, actor: Actor, box_slug: str) -> None:
        """Begin to bring the shared machines of a box back to their initial state, in every realm.

        Everyone is told when it is done; the actor alone, when it failed. Of a reset that is under way another one is
        not begun.

        Raises:
            Forbidden: If the actor is no organiser.
            NotFound: If there is no such box.
            NothingRunning: If no provider shows a shared machine of it.
            Unavailable: If this process talks to no hypervisor.
        """
        actor.must_be_admin()
        box = next((one for one in (await self._snapshots.current()).boxes.values() if one.slug == box_slug), None)
        if box is None:
            raise NotFound
        async with self._db.read() as tx:
            offers = await self._offers.read(tx)
        machines = {
            (listing.provider, one.realm, one.template)
            for listing in offers.listings
            for one in shared_machines(listing, box)
        }
        if not machines:
            raise NothingRunning
        if self._reset is None:
            raise Unavailable
        for machine in machines - self._under_way.keys():
            self._under_way[machine] = asyncio.create_task(self._carry_out(self._reset, actor, box, machine))

    async def aclose(self) -> None:
        """Call off what is under way; what the hypervisor does already goes on."""
        tasks = set(self._under_way.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _carry_out(self, reset: ResetShared, actor: Actor, box: Box, machine: tuple[str, str, str]) -> None:
        try:
            await reset(*machine)
            await self._tell(None, "info", Text(WAS_RESET, {"box": box.name}), box)
        except ProviderError as error:
            log.warning("shared.reset_failed", box=box.slug, provider=machine[0], reason=error.detail)
            await self._tell(actor, "bad", Text(NOT_RESET, {"box": box.name, "reason": error.text}), box)
        finally:
            del self._under_way[machine]

    async def _tell(self, actor: Actor | None, kind: str, text: Text, box: Box) -> None:
        account_id = actor.account_id if actor else None
        link = f"/boxes/{box.slug}"
        try:
            async with self._db.write() as tx:
                await insert_notice(tx, account_id=account_id, kind=kind, text=text, link=link, at=self._clock())
        except Unavailable as error:
            log.warning("shared.untold", box=box.slug, notice=str(text), reason=str(error))
        else:
            self._news.notice(account_id)
