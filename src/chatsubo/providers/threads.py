"""Plugins whose methods are plain functions: these run in a few threads of the provider's own, and hold nobody up."""

import asyncio
import functools
import inspect
import threading
import time
import types
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog

from chatsubo.providers.base import BaseProvider, StartOrder
from chatsubo.providers.exc import TimedOut, described

T = TypeVar("T")
Method = Callable[..., Coroutine[Any, Any, Any]]

THREADS = 8
"""How many calls of one provider may be under way at once."""
HUNG_MOST = 2
"""When so many calls of one method hang, it is not called again before one of them ends or is written off."""
WRITE_OFF = 300.0
"""Seconds after which a call that was abandoned does not count any more: its thread is lost, its place is free."""
LOST_MOST = 24
"""When so many threads are lost, nothing is written off any more: only a restart helps then."""
CALLING_OFF, UNDOING = 10.0, 4.0
"""Seconds that a start which is called off may take to end, and then its undoing: less than the platform waits."""

METHODS = (
    "check",
    "aclose",
    "list_templates",
    "list_instances",
    "reset",
    "start_dynamic_instance",
    "stop_dynamic_instance",
)

_START = "start_dynamic_instance"
_ORDERED = frozenset({_START, "reset"})

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
        return [], RuntimeError(described(error))
    except BaseException as error:  # noqa: BLE001  it is handed on
        return [], error


def with_plain_methods(provider: BaseProvider) -> BaseProvider:
    """Return ``provider`` with methods that can all be awaited: those that are plain ``def`` run in threads.

    What is returned shares the provider's state and is of a class made for it, so that the plugin's own code goes on
    calling its own methods as it wrote them. A thread hears of no deadline and no cancelling: the platform sees to
    both for the starts and resets of sessions.
    """
    cls = type(provider)
    plain = [name for name in METHODS if not inspect.iscoroutinefunction(getattr(provider, name))]
    if not plain:
        return provider
    threads = Threads(provider.name)
    methods = {name: getattr(provider, name) for name in METHODS}
    methods.update({name: _in(threads, name, methods[name]) for name in plain})
    stop = methods["stop_dynamic_instance"]
    for name in _ORDERED.intersection(plain):
        methods[name] = _by_deadline(provider, methods[name], stop if name == _START else None)
    statics = {name: staticmethod(method) for name, method in methods.items()}
    awaited = types.new_class(
        cls.__name__, (cls,), exec_body=lambda body: body.update({**statics, "__module__": cls.__module__})
    )
    made: BaseProvider = object.__new__(awaited)
    made.__dict__ = provider.__dict__
    return made


def _in(threads: Threads, name: str, method: Callable[..., Any]) -> Method:
    @functools.wraps(method)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        answer = await threads.run(name, functools.partial(method, *args, **kwargs))
        # An async method behind a decorator that is plain looks plain itself.
        return await answer if inspect.isawaitable(answer) else answer

    return awaited


def _by_deadline(provider: BaseProvider, run: Method, stop: Method | None) -> Method:
    """Return ``run``, which ends at the deadline of its order; what it made by then or later is stopped."""

    @functools.wraps(run)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        order = next((one for one in (*args, *kwargs.values()) if isinstance(one, StartOrder)), None)
        if order is None:
            return await run(*args, **kwargs)
        late = TimedOut(f"{provider.kind}/{provider.name}: it was not done by its deadline")
        if order.seconds_left <= 0:
            raise late
        call = asyncio.ensure_future(run(*args, **kwargs))
        undo = functools.partial(stop, order.id) if stop else None
        try:
            async with asyncio.timeout(order.seconds_left) as clock:
                return await asyncio.shield(call)
        except TimeoutError:
            if not clock.expired():
                raise
            await called_off(call, undo)
            raise late from None
        except asyncio.CancelledError:
            await called_off(call, undo)
            raise

    return awaited


async def called_off(call: "asyncio.Future[Any]", undo: Callable[[], Awaitable[object]] | None) -> None:
    """Wait until a call that nobody waits for any more has ended in its thread, and undo what it has made.

    Args:
        call: It is abandoned if it takes too long.
        undo: What to do then; a failure of it is told in the log.
    """
    await asyncio.wait({call}, timeout=CALLING_OFF)
    call.cancel()
    if undo is None:
        return
    try:
        async with asyncio.timeout(UNDOING):
            await undo()
    except Exception as error:  # noqa: BLE001  a stranger's plugin may raise anything
        log.warning("provider.not_cleaned_up", reason=described(error))
