"""An engine that forgets everything with its process: for tests of what stands above it."""

import asyncio
import time

from chatsubo.jobs import Handler, Started, workflow_id


class MemoryJobs:
    """Runs workflows as tasks of the event loop."""

    def __init__(self) -> None:
        self._handler: Handler | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ended: dict[str, float] = {}

    def handle_with(self, handler: Handler) -> None:
        """Name the handler of all workflows."""
        self._handler = handler

    async def launch(self) -> None:
        """Do nothing: there is nothing to take up."""

    async def start(self, session_id: str, generation: int, verb: str) -> Started:
        """Start the intent's workflow, unless it was started before."""
        name = workflow_id(session_id, generation, verb)
        known = self._tasks.get(name)
        if known is not None:
            return Started.ENDED if known.done() else Started.UNDER_WAY
        if self._handler is None:
            msg = "no handler was named"
            raise RuntimeError(msg)
        task = self._tasks[name] = asyncio.ensure_future(self._handler(session_id, generation, verb))
        task.add_done_callback(lambda _: self._ended.setdefault(name, time.monotonic()))
        return Started.NEW

    async def forget(self, older_than: float) -> None:
        """Forget workflows that ended longer ago than ``older_than`` seconds."""
        before = time.monotonic() - older_than
        for name in [name for name, ended_at in self._ended.items() if ended_at < before]:
            del self._tasks[name], self._ended[name]

    def trouble(self) -> str:
        """Return that all is well."""
        return ""

    async def shutdown(self) -> None:
        """Cancel what is under way."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=1)
