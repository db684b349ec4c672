"""Plugins whose methods are plain functions: these run in a few threads of the provider's own, and hold nobody up."""

import asyncio
import functools
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog

from chatsubo.providers.base import BaseProvider
from chatsubo.providers.exc import TimedOut

T = TypeVar("T")

THREADS = 8
"""How many calls of one provider may be under way at once."""
HUNG_MOST = 2
"""When so many calls of one method hang, it is not called again before one of them ends or is written off."""
WRITE_OFF = 300.0
"""Seconds after which a call that was abandoned does not count any more: its thread is lost, its place is free."""
LOST_MOST = 24
"""When so many threads are lost, nothing is written off any more: only a restart helps then."""

METHODS = (
    "check",
    "aclose",
    "list_templates",
    "list_instances",
    "reset",
    "start_dynamic_instance",
    "stop_dynamic_instance",
)

log = structlog.get_logger(__name__)


class _Call:
    """One call in a thread."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.began = time.monotonic()
        self.abandoned = False
        self.lost = False


class Threads:
    """Runs the plain functions of one provider.

    A thread cannot be stopped. A call that was abandoned, at its time limit say, keeps its place until it ends, or
    until :data:`WRITE_OFF`; meanwhile other methods go on, and the process can end at any time.

    Args:
        name: The provider's name.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._places = asyncio.Semaphore(THREADS)
        self._calls: set[_Call] = set()

    async def run(self, method: str, work: Callable[[], T]) -> T:
        """Return what ``work`` returns.

        Args:
            method: What it is a call of.
            work: The call.

        Raises:
            TimedOut: If too many earlier calls hang.
        """
        self._refuse_if_hung(method)
        await self._places.acquire()
        call = _Call(method)
        self._calls.add(call)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def in_thread() -> None:
            outcome, error = _outcome(work)
            try:
                loop.call_soon_threadsafe(self._ended, call, answer, outcome, error)
            except RuntimeError:  # the loop has ended meanwhile
                return

        thread = threading.Thread(target=in_thread, name=f"provider-{self._name}-{method}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._free(call)
            raise
        try:
            return await answer
        except asyncio.CancelledError:
            self._abandon(call, loop)
            raise

    def _refuse_if_hung(self, method: str) -> None:
        hung = [call for call in self._calls if call.abandoned and not call.lost]
        same = [call for call in hung if call.method == method]
        if len(same) >= HUNG_MOST or len(hung) >= THREADS:
            since = time.monotonic() - min(call.began for call in same or hung)
            methods = ", ".join(sorted({call.method for call in same or hung}))
            raise TimedOut(
                f"{self._name}: {len(same or hung)} calls of {methods} hang, the first for {since:.0f} s; "
                f"{method} is not called again before one of them ends"
            )

    def _abandon(self, call: _Call, loop: asyncio.AbstractEventLoop) -> None:
        if call in self._calls:
            call.abandoned = True
            log.warning("provider.call_hangs", provider=self._name, method=call.method)
            loop.call_later(WRITE_OFF, self._write_off, call)

    def _write_off(self, call: _Call) -> None:
        lost = sum(one.lost for one in self._calls)
        if call in self._calls and lost < LOST_MOST:
            call.lost = True
            self._places.release()
            log.error("provider.thread_lost", provider=self._name, method=call.method, lost=lost + 1)

    def _ended(self, call: _Call, answer: "asyncio.Future[T]", outcome: list[T], error: BaseException | None) -> None:
        self._free(call)
        if call.abandoned:
            took = round(time.monotonic() - call.began)
            log.info("provider.call_ended_late", provider=self._name, method=call.method, seconds=took)
        if answer.done():
            return
        if error is None:
            answer.set_result(outcome[0])
        else:
            answer.set_exception(error)

    def _free(self, call: _Call) -> None:
        self._calls.discard(call)
        if not call.lost:
            self._places.release()


def _outcome(work: Callable[[], T]) -> tuple[list[T], BaseException | None]:
    try:
        return [work()], None
    except (StopIteration, SystemExit, KeyboardInterrupt, GeneratorExit) as error:
        # A future takes no StopIteration, and the others would end the server.
        return [], RuntimeError(f"{type(error).__name__}: {error}")
    except BaseException as error:  # noqa: BLE001  it is handed on
        return [], error


def with_plain_methods(provider: BaseProvider) -> BaseProvider:
    """Return ``provider``, whose methods can all be awaited now: those that are plain ``def`` run in threads."""
    plain = [name for name in METHODS if not inspect.iscoroutinefunction(getattr(provider, name))]
    if plain:
        threads = Threads(provider.name)
        for name in plain:
            setattr(provider, name, _in(threads, name, getattr(provider, name)))
    return provider


def _in(threads: Threads, name: str, method: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return await threads.run(name, functools.partial(method, *args, **kwargs))

    return awaited
