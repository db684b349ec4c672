"""Machines of sessions that ended: removed beside everything else, a few of one provider at a time."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection

import structlog

from chatsubo.lab.calls import bounded
from chatsubo.lab.pace import Pace
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.exc import ProviderError

log = structlog.get_logger(__name__)


class Strays:
    """Removes what listings show for a while though its session has ended.

    Nobody waits for it: a host that is slow to let go of many machines does not keep the inventory from looking.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._seen: dict[str, dict[str, float]] = {}
        self._due: asyncio.Queue[tuple[BaseProvider, str]] = asyncio.Queue()
        self._under_way: dict[str, set[str]] = defaultdict(set)
        self._places: dict[str, asyncio.Semaphore] = {}

    def note(self, provider: BaseProvider, over: Collection[str]) -> None:
        """Take note of the ended sessions that a listing shows machines of, all of them that it shows."""
        before, now = self._seen.get(provider.name, {}), time.monotonic()
        seen = self._seen[provider.name] = {session: before.get(session, now) for session in over}
        under_way = self._under_way[provider.name]
        for session, since in seen.items():
            if now - since >= self._pace.stray and session not in under_way:
                under_way.add(session)
                self._due.put_nowait((provider, session))

    async def run(self) -> None:
        """Remove what is due, until cancelled: of each provider as many at once as it starts at once."""
        async with asyncio.TaskGroup() as group:
            while True:
                provider, session = await self._due.get()
                group.create_task(self._remove(provider, session))

    async def _remove(self, provider: BaseProvider, session: str) -> None:
        places = self._places.setdefault(provider.name, asyncio.Semaphore(provider.max_concurrent_starts))
        try:
            async with places:
                call = provider.stop_dynamic_instance(session)
                await bounded(call, self._pace.stop_limit, self._pace.calling_off)
        except ProviderError as error:
            log.warning("stray.not_removed", session=session, provider=provider.name, reason=error.detail)
        else:
            log.warning("stray.removed", session=session, provider=provider.name)
            self._seen[provider.name].pop(session, None)
        finally:
            self._under_way[provider.name].discard(session)
