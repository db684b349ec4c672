"""How a fake misbehaves: which of its steps fail, are slow, or never end."""

import asyncio
import threading
from dataclasses import dataclass

from chatsubo.providers.exc import ProviderError

Mishap = ProviderError | type[ProviderError]


class Latch:
    """What a fake waits at until the test opens it.

    Unlike :class:`asyncio.Event` it may be waited at and opened from several threads and event loops at once, as a
    durable engine with a loop of its own does.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = False
        self._reached = False
        self._waiting: list[asyncio.Future[None]] = []
        self._watching: list[asyncio.Future[None]] = []

    def open(self) -> None:
        """Let through whoever waits, and whoever comes."""
        with self._lock:
            self._open = True
            waiting, self._waiting = self._waiting, []
        _wake(waiting)

    async def passed(self) -> None:
        """Wait until it is open."""
        with self._lock:
            self._reached = True
            watching, self._watching = self._watching, []
            future = None if self._open else asyncio.get_running_loop().create_future()
            if future:
                self._waiting.append(future)
        _wake(watching)
        if future:
            await future

    async def reached(self) -> None:
        """Wait until somebody waits at it, or has passed it."""
        with self._lock:
            future = None if self._reached else asyncio.get_running_loop().create_future()
            if future:
                self._watching.append(future)
        if future:
            await future


def _wake(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        loop = future.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(_finish, future)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


@dataclass(slots=True)
class _Fault:
    error: Mishap | None = None
    wait: float | asyncio.Event | Latch | None = None
    times: int | None = None


class Faults:
    """What is to go wrong, step by step. Several faults of one step happen in the order they were asked for.

    Each step is a name such as ``"start:boot"``. Every fault goes on until :meth:`clear`, unless ``times`` says how
    often it happens.
    """

    def __init__(self) -> None:
        self._faults: dict[str, list[_Fault]] = {}

    def fail(self, at: str, error: Mishap = ProviderError, times: int | None = None) -> None:
        """Raise ``error`` (an error, or its class) at the step, ``times`` times."""
        self._add(at, _Fault(error=error, times=times))

    def slow(self, at: str, wait: float | asyncio.Event | Latch, times: int | None = None) -> None:
        """Make the step take ``wait`` seconds, or until the event is set or the latch open."""
        self._add(at, _Fault(wait=wait, times=times))

    def hold(self, at: str, times: int | None = None) -> Latch:
        """Make the step wait at a new latch, and return that."""
        latch = Latch()
        self.slow(at, latch, times)
        return latch

    def hang(self, at: str, times: int | None = None) -> None:
        """Make the step never end; only its being cancelled ends it."""
        self.hold(at, times)

    def clear(self) -> None:
        """Forget all that was to go wrong. What waits at a latch goes on waiting."""
        self._faults.clear()

    async def meet(self, step: str) -> None:
        """Live through what is to go wrong at ``step``.

        Raises:
            ProviderError: What :meth:`fail` was given.
        """
        await asyncio.sleep(0)
        for fault in list(self._faults.get(step, ())):
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._faults[step].remove(fault)
            await _wait(fault.wait)
            if fault.error is not None:
                raise fault.error

    def _add(self, at: str, fault: _Fault) -> None:
        self._faults.setdefault(at, []).append(fault)


async def _wait(wait: float | asyncio.Event | Latch | None) -> None:
    if isinstance(wait, Latch):
        await wait.passed()
    elif isinstance(wait, asyncio.Event):
        await wait.wait()
    elif wait is not None:
        await asyncio.sleep(wait)
