"""Which intents are being carried out in this process, one per session at a time."""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from chatsubo.domain.sessions import Verb
from chatsubo.lab.calls import bounded

T = TypeVar("T")


class CalledOff(Exception):
    """A newer intent, or the end of the process, made this one void."""


class Run:
    """One intent that is being carried out.

    Attributes:
        session_id: Of which session.
        generation: The intent's.
        verb: What is done.
        provider: Where; known once the session was read.
    """

    def __init__(self, session_id: str, generation: int, verb: Verb) -> None:
        self.session_id = session_id
        self.generation = generation
        self.verb = verb
        self.provider: str | None = None
        self._off = asyncio.Event()
        self._over = asyncio.Event()

    def call_off(self) -> None:
        """Have it end soon, leaving nothing behind; what it writes to the database is not cut off."""
        self._off.set()

    def end(self) -> None:
        """Tell those who wait that it has ended."""
        self._over.set()

    async def ended(self) -> None:
        """Wait until it has ended."""
        await self._over.wait()

    async def call(self, call: Awaitable[T], limit: float, calling_off: float) -> T:
        """Return what a provider's call returns, unless the run is called off meanwhile.

        Raises:
            CalledOff: If it was; the call has been cancelled, and has cleaned up or was abandoned.
            ProviderError: As :func:`chatsubo.lab.calls.bounded` does.
        """
        work = asyncio.create_task(bounded(call, limit, calling_off))
        off = asyncio.create_task(self._off.wait())
        try:
            await asyncio.wait({work, off}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            off.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
        if work.cancelled() or (self._off.is_set() and work.exception() is not None):
            raise CalledOff
        return work.result()

    async def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            CalledOff: If the run was called off meanwhile.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._off.wait()
        except TimeoutError:
            return
        raise CalledOff


class Runs:
    """The runs of this process, by session."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}

    @contextmanager
    def entered(self, run: Run) -> Iterator[None]:
        """Have ``run`` listed for as long as the context lasts."""
        self._runs[run.session_id] = run
        try:
            yield
        finally:
            del self._runs[run.session_id]
            run.end()

    def of(self, session_id: str) -> Run | None:
        """Return the session's run, if there is one."""
        return self._runs.get(session_id)

    def has(self, session_id: str, generation: int) -> bool:
        """Say whether that intent of the session is being carried out."""
        run = self._runs.get(session_id)
        return run is not None and run.generation == generation

    def all(self) -> Iterable[Run]:
        """Return all runs."""
        return tuple(self._runs.values())

    def holding(self, provider: str) -> frozenset[str]:
        """Return the sessions whose start or reset is under way at ``provider``, called off or not."""
        return frozenset(
            run.session_id for run in self._runs.values() if run.provider == provider and run.verb is not Verb.STOP
        )
