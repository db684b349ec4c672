"""The durable engine: DBOS, with its system database beside ours or in PostgreSQL.

Seen in DBOS 3.4, and relied on here:

- ``DBOS.launch`` called on a running event loop adopts that loop: workflows that it recovers run there too, so the
  database, the HTTP clients and the tasks of that loop can be used by the handler.
- A coroutine that is cancelled leaves its workflow pending, so the next launch of the same executor recovers it.
- Its own SQLite engine journals with a rollback file and waits for the disk at each commit; ours uses a write-ahead
  log, which takes a start from 2.1 ms to 0.9 ms.
- It makes its threads the default pool of the adopted loop, and stops them in the end: the loop needs new ones then.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from chatsubo.domain.errors import Unavailable
from chatsubo.jobs.engines import open_engine
from chatsubo.jobs.guard import EVERY, Guard
from chatsubo.jobs.lock import lock_for
from chatsubo.jobs.port import Handler, Started, workflow_id

APPLICATION = "chatsubo"
VERSION = "1"
"""Raised only when the workflow below changes its meaning: workflows of another version are not recovered, and their
intents are started anew by the dispatcher."""
EXECUTOR = "worker"
THREADS = 16
START_SECONDS = 15.0
BATCH = 500
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

log = structlog.get_logger(__name__)

_current: "DurableJobs | None" = None


@DBOS.workflow(name="carry_out")
async def _carry_out(session_id: str, generation: int, verb: str) -> str:
    """Hand the intent to the launched engine's handler.

    There are no steps inside: the handler reads what was done so far from our own tables, and every call of a provider
    adopts what it finds, so it is simply run again. Nothing but these three arguments is ever written down by the
    engine, so its database holds no secret.
    """
    if _current is None:
        raise asyncio.CancelledError  # the engine is going down: leave the workflow to the next one
    return await _current.handle(session_id, generation, verb)


class DurableJobs:
    """Runs workflows on DBOS. The engine is one per process, and one per system database."""

    def __init__(self, url: str, *, guard_every: float = EVERY) -> None:
        """Keep where the system database is; nothing is opened yet.

        Args:
            url: ``sqlite:///PATH`` of a file of its own, or ``postgresql://...``.
            guard_every: Seconds between two looks whether another engine could run beside this one.
        """
        self._url = make_url(url)
        self._guard_every = guard_every
        self._handler: Handler | None = None
        self._engine: Engine | None = None
        self._guard: Guard | None = None
        self._running: set[asyncio.Task[Any]] = set()

    def handle_with(self, handler: Handler) -> None:
        """Name the handler of all workflows."""
        self._handler = handler

    async def launch(self) -> None:
        """Start the engine on this event loop, and recover what an earlier process left.

        Raises:
            EngineInUse: If another process, or another engine of this one, uses the system database.
            Unavailable: If the system database cannot be opened.
        """
        global _current  # noqa: PLW0603  DBOS itself is one per process
        if _current is not None:
            msg = "this process runs a durable engine already"
            raise RuntimeError(msg)
        engine = open_engine(self._url, THREADS)
        try:
            self._guard = Guard(await asyncio.to_thread(lock_for, engine), self._guard_every)
            logging.getLogger("dbos").addHandler(logging.NullHandler())  # else DBOS writes to the console itself
            _current = self
            DBOS(config=self._config(engine))
            DBOS.launch()
        except BaseException as error:
            await self._release(engine)
            if isinstance(error, SQLAlchemyError | OSError):
                raise Unavailable from error
            raise
        self._engine = engine
        log.info("jobs.launched", database=self._url.render_as_string(hide_password=True))

    def _config(self, engine: Engine) -> DBOSConfig:
        return {
            "name": APPLICATION,
            "application_version": VERSION,
            "executor_id": EXECUTOR,
            "system_database_url": engine.url.render_as_string(hide_password=False),
            "system_database_engine": engine,
            "serializer": DBOSPortableJSONSerializer(),
            "max_executor_threads": THREADS,
            "enable_otlp": False,
            "log_level": "WARNING",
        }

    async def handle(self, session_id: str, generation: int, verb: str) -> str:
        """Run the handler, and return a word on how it went; for the workflow above only."""
        task = asyncio.current_task()
        if self._handler is None or task is None:
            msg = "no handler was named"
            raise RuntimeError(msg)
        self._running.add(task)
        try:
            await self._handler(session_id, generation, verb)
        except Exception:
            log.exception("jobs.handler_failed", workflow=workflow_id(session_id, generation, verb))
            return "failed"
        finally:
            self._running.discard(task)
        return "done"

    async def start(self, session_id: str, generation: int, verb: str) -> Started:
        """Start the intent's workflow, unless it was started before.

        Raises:
            EngineInUse: If another engine took the place of this one, which lost its connection to the database.
            Unavailable: If the system database does not take it.
        """
        if self._guard is not None and self._guard.displaced is not None:
            raise self._guard.displaced
        name = workflow_id(session_id, generation, verb)
        with _told_plainly():
            async with asyncio.timeout(START_SECONDS):
                status = await DBOS.get_workflow_status_async(name)
                if status is not None:
                    return Started.ENDED if status.status in _ENDED else Started.UNDER_WAY
                with SetWorkflowID(name):
                    await DBOS.start_workflow_async(_carry_out, session_id, generation, verb)
                return Started.NEW

    async def forget(self, older_than: float) -> None:
        """Forget workflows that ended longer ago than ``older_than`` seconds.

        Raises:
            Unavailable: If the system database does not answer.
        """
        before = (datetime.now(UTC) - timedelta(seconds=older_than)).isoformat()
        with _told_plainly():
            while True:
                found = await DBOS.list_workflows_async(
                    status=_ENDED, completed_before=before, limit=BATCH, load_input=False, load_output=False
                )
                if not found:
                    return
                await DBOS.delete_workflows_async([one.workflow_id for one in found])

    def trouble(self) -> str:
        """Return what keeps the engine from being relied on, in a few English words; empty when all is well."""
        return "" if self._guard is None else self._guard.trouble()

    async def shutdown(self) -> None:
        """Stop the engine. Handlers under way are cancelled; their workflows stay pending for the next launch."""
        global _current  # noqa: PLW0603  see above
        _current = None
        for task in self._running:
            task.cancel()
        if self._engine is not None:
            await self._release(self._engine)
            self._engine = None

    async def _release(self, engine: Engine) -> None:
        global _current  # noqa: PLW0603  see above
        _current = None
        if self._guard is not None:
            await self._guard.stop()
        await asyncio.to_thread(DBOS.destroy)
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))
        if self._guard is not None:
            self._guard.release()
            self._guard = None
        event.listen(engine, "checkin", _close_late)
        engine.dispose()


def _close_late(_connection: Any, record: Any) -> None:
    """Close what a thread of the engine gives back after the end; ``dispose`` closes only what is there already."""
    record.invalidate()


@contextlib.contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, TimeoutError) as error:
        raise Unavailable from error
