"""How a start or a reset goes: written down while it is under way, for the player and for organisers."""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import structlog

from chatsubo.domain.errors import ChatsuboError
from chatsubo.domain.text import Text
from chatsubo.domain.values import redact
from chatsubo.lab.output import KEPT, clean
from chatsubo.lab.pace import Pace
from chatsubo.lab.reading import read_text

Write = Callable[[Text | None, str | None], Awaitable[None]]
"""Writes down a stage and the whole output; ``None`` leaves either as it is."""

log = structlog.get_logger(__name__)


class WrittenProgress:
    """Takes what a provider tells, from any thread, and writes it down in the background, a few times a second."""

    def __init__(self, write: Write, values: Mapping[str, str], earlier: str, pace: Pace) -> None:
        """Take what was kept so far.

        Args:
            write: Where it is written.
            values: The values of the start, which must not appear in the output.
            earlier: The output that is kept already; new output comes after it.
            pace: How often to write.
        """
        self._write = write
        self._values = values
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._over = asyncio.Event()
        self._lock = threading.Lock()
        self._stage: Text | None = None
        self._pieces: deque[str] = deque([earlier] if earlier else ())
        self._size = len(earlier)
        self._cut = False
        self._unwritten = False
        self._written_at = time.monotonic()

    def stage(self, text: Text) -> None:
        """Say what happens now, for the player."""
        self._stage = read_text(text)
        self._wake()

    def log(self, output: str) -> None:
        """Keep technical output for organisers."""
        with self._lock:
            self._pieces.append(output)
            self._size += len(output)
            while len(self._pieces) > 1 and self._size - len(self._pieces[0]) >= KEPT:
                self._size -= len(self._pieces.popleft())
                self._cut = True
            self._unwritten = True
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody will write this down any more
            self._loop.call_soon_threadsafe(self._news.set)

    @contextlib.asynccontextmanager
    async def written(self) -> AsyncIterator[None]:
        """Write down what is told for as long as the context lasts. A write that has begun is never cut off."""
        writer = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._over.set()
            self._news.set()
            await asyncio.wait({writer})

    async def _run(self) -> None:
        while not self._over.is_set():
            await self._news.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace.stage):
                    await self._over.wait()
                    return
            self._news.clear()
            await self._flush()

    async def _flush(self) -> None:
        stage, self._stage = self._stage, None
        due = self._unwritten and time.monotonic() - self._written_at >= self._pace.log
        output = self.output() if due else None
        try:
            if stage is not None or output is not None:
                await self._write(stage, output)
        except ChatsuboError as error:
            log.warning("progress.unwritten", reason=str(error))
            with self._lock:
                self._unwritten = self._unwritten or output is not None
        if self._unwritten:
            self._news.set()

    def output(self) -> str | None:
        """Return the whole output to keep, if there is any that :meth:`written` has not written yet."""
        with self._lock:
            if not self._unwritten:
                return None
            self._unwritten = False
            self._written_at = time.monotonic()
            whole = "".join(self._pieces)
            if self._cut:
                # Half a value that nobody would recognise may be at the beginning.
                whole, self._cut = whole.partition("\n")[2] or whole, False
            whole = redact(clean(whole), self._values)[-KEPT:]
            self._pieces = deque([whole])
            self._size = len(whole)
            return whole
