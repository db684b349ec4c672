"""Work that several callers want at the same time, done once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from chatsubo.domain.text import Text
from chatsubo.providers.base import Progress

T = TypeVar("T")


class Broadcast:
    """A progress that passes everything on to all who wait; who comes later is told the stage at once."""

    def __init__(self) -> None:
        self._listeners: list[Progress] = []
        self._stage: Text | None = None

    def add(self, listener: Progress) -> None:
        """Pass on to ``listener`` too."""
        self._listeners.append(listener)
        if self._stage is not None:
            listener.stage(self._stage)

    def discard(self, listener: Progress) -> None:
        """Pass nothing on to ``listener`` any more."""
        self._listeners = [one for one in self._listeners if one is not listener]

    def stage(self, text: Text) -> None:
        """Say what happens now."""
        self._stage = text
        for listener in self._listeners:
            listener.stage(text)

    def log(self, output: str) -> None:
        """Keep technical output."""
        for listener in self._listeners:
            listener.log(output)


class Flights(Generic[T]):
    """Pieces of work by their keys, each under way at most once. One that nobody waits for any more is called off."""

    def __init__(self) -> None:
        self._flights: dict[str, tuple[asyncio.Task[T], Broadcast, list[object]]] = {}

    async def join(self, key: str, work: Callable[[Broadcast], Awaitable[T]], progress: Progress) -> T:
        """Return what ``work`` returns, done by this call or by one that is under way.

        Args:
            key: What makes two pieces of work the same.
            work: Does it, and tells how it goes.
            progress: Where this caller is told.

        Raises:
            Exception: What the work raises.
        """
        flight = self._flights.get(key)
        if flight is None:
            broadcast = Broadcast()
            task = asyncio.ensure_future(work(broadcast))
            flight = self._flights[key] = task, broadcast, []
            task.add_done_callback(lambda done: self._forget(key, done))
        task, broadcast, waiting = flight
        mark = object()
        waiting.append(mark)
        broadcast.add(progress)
        try:
            return await asyncio.shield(task)
        finally:
            waiting.remove(mark)
            broadcast.discard(progress)
            if not waiting and not task.done():
                self._forget(key, task)
                task.cancel()
                await asyncio.wait({task})

    def _forget(self, key: str, task: asyncio.Future[T]) -> None:
        """Let the next who asks begin anew, unless somebody did already."""
        flight = self._flights.get(key)
        if flight is not None and flight[0] is task:
            del self._flights[key]
