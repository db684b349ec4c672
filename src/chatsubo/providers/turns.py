"""The work of each session: one piece at a time, within its deadline, and to be called off by a stop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from weakref import WeakValueDictionary

from chatsubo.domain.values import redact
from chatsubo.providers.base import StartOrder
from chatsubo.providers.exc import Cancelled, ProviderError, TimedOut

T = TypeVar("T")


class Turns:
    """The sessions that something is under way for.

    Args:
        name: The provider, as ``kind/name``, for errors.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._under_way: dict[str, set[asyncio.Task[object]]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def sessions(self) -> frozenset[str]:
        """The sessions themselves."""
        return frozenset(self._under_way)

    def of(self, session: str) -> asyncio.Lock:
        """Return the lock of a session."""
        return self._locks.setdefault(session, asyncio.Lock())

    def call_off(self, session: str) -> None:
        """Cancel what is under way for a session in this process."""
        for task in list(self._under_way.get(session, ())):
            task.cancel()

    async def take(
        self,
        order: StartOrder,
        work: Callable[[], Awaitable[T]],
        undo: Callable[[], Awaitable[None]] | None = None,
    ) -> T:
        """Return what ``work`` returns, done in the session's turn.

        Args:
            order: For which session, and until when.
            work: Does it; cleans up after itself unless it succeeds.
            undo: Undoes it, where it succeeded while its caller was cancelled.

        Raises:
            TimedOut: The deadline passed.
            Cancelled: A stop called it off.
            ProviderError: What the work raises, without the session's values.
        """

        async def within() -> T:
            async with asyncio.timeout(order.seconds_left), self.of(order.id):
                return await work()

        task = asyncio.ensure_future(within())
        self._under_way.setdefault(order.id, set()).add(task)
        try:
            return await _finished(task, undo)
        except TimeoutError:
            raise TimedOut(f"{self._name}: it was not done by its deadline") from None
        except ProviderError as error:
            error.detail = redact(error.detail, order.values)
            error.args = tuple(redact(str(argument), order.values) for argument in error.args)
            raise
        finally:
            self._under_way[order.id].discard(task)
            if not self._under_way[order.id]:
                del self._under_way[order.id]


async def _finished(task: "asyncio.Task[T]", undo: Callable[[], Awaitable[None]] | None) -> T:
    """Return what a task returns; when this is cancelled, cancel the task and wait for its cleaning up."""
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled():
            raise Cancelled("the start was called off") from None
        task.cancel()
        await asyncio.wait({task})
        if undo is not None and not task.cancelled() and task.exception() is None:
            await undo()
        raise
