"""Seeing to it, for as long as an engine runs, that no other one can run beside it."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from chatsubo.jobs.lock import EngineInUse, EngineLock

EVERY = 5.0
"""Seconds between two looks."""
SILENT = 30.0
"""Seconds without a look that went through, after which that is told."""
CLOSING = 0.2
"""Seconds that a look under way may take when the engine stops; the lab has two for everything."""

log = structlog.get_logger(__name__)


class Guard:
    """Looks every few seconds whether the engine's lock is still held, and takes it again where it was lost.

    Attributes:
        displaced: The error, while another engine has the lock.
    """

    def __init__(self, lock: EngineLock, every: float = EVERY) -> None:
        """Begin to look. The event loop must run.

        Args:
            lock: The lock, as it was taken for the engine.
            every: Seconds between two looks.
        """
        self.displaced: EngineInUse | None = None
        self._lock = lock
        self._every = every
        self._looked_at = time.monotonic()
        self._over = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="engine lock")

    def trouble(self) -> str:
        """Return what is wrong, in a few English words for anybody; empty when the lock is held."""
        if self.displaced is not None:
            return "another server runs on this database: stop one of the two"
        since = time.monotonic() - self._looked_at
        return f"the durable engine's database has not answered for {since:.0f} s" if since > SILENT else ""

    async def stop(self) -> None:
        """Look no more; a look that hangs is not waited for."""
        self._over.set()
        await asyncio.wait({self._task}, timeout=CLOSING)

    def release(self) -> None:
        """Let another engine run. Call it after :meth:`stop`, when the engine is down."""
        if self._task.done():
            self._lock.release()

    async def _run(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._over.wait()
                    return
            await self._look()

    async def _look(self) -> None:
        try:
            await _in_thread(self._lock.keep)
        except EngineInUse as error:
            if self.displaced is None:
                log.error("jobs.displaced", reason=str(error))  # noqa: TRY400  the reason says it all
            self.displaced = error
        except SQLAlchemyError as error:
            log.warning("jobs.lock_unseen", reason=str(error).partition("\n")[0])
            return
        else:
            if self.displaced is not None:
                log.info("jobs.alone_again")
            self.displaced = None
        self._looked_at = time.monotonic()


async def _in_thread(work: Callable[[], None]) -> None:
    """Do ``work`` in a thread that the end of the process waits for as little as we do, unlike the loop's own."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def tell(error: Exception | None) -> None:
        if not ended.done():
            ended.set_result(None) if error is None else ended.set_exception(error)

    def run() -> None:
        error = None
        try:
            work()
        except Exception as raised:  # noqa: BLE001  it is handed on
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, error)

    threading.Thread(target=run, name="engine lock", daemon=True).start()
    await ended
