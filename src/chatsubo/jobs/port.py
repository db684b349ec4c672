"""What the lab asks of a durable engine."""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Protocol

Handler = Callable[[str, int, str], Awaitable[None]]
"""Carries out an intent: session id, generation, verb. May be called again after a crash at any point."""


class Started(Enum):
    """What became of a request to start a workflow."""

    NEW = "new"
    """It was started now."""
    UNDER_WAY = "under-way"
    """It was started before and has not ended."""
    ENDED = "ended"
    """It was started before and has ended."""


def workflow_id(session_id: str, generation: int, verb: str) -> str:
    """Return the name of the one workflow that carries out an intent."""
    return f"{session_id}.{generation}.{verb}"


class Jobs(Protocol):
    """A durable engine: what was started once runs to its end, over crashes and restarts."""

    def handle_with(self, handler: Handler) -> None:
        """Name the handler of all workflows. To be called before :meth:`launch`."""

    async def launch(self) -> None:
        """Start the engine, and take up what an earlier process left.

        Raises:
            EngineInUse: If another process runs the engine on the same database.
        """

    async def start(self, session_id: str, generation: int, verb: str) -> Started:
        """Start the intent's workflow, unless it was started before. Returns once that is written down.

        Raises:
            EngineInUse: If another process runs the engine by now; nothing was started.
            Unavailable: If it could not be written down; nothing was started.
        """
        ...

    async def forget(self, older_than: float) -> None:
        """Forget workflows that ended longer ago than ``older_than`` seconds."""

    def trouble(self) -> str:
        """Return what keeps the engine from being relied on, in a few English words; empty when all is well."""
        ...

    async def shutdown(self) -> None:
        """Stop the engine at once; what is under way is taken up by the next :meth:`launch`."""
