"""Tasks of Proxmox, and the patience that its locks and nodes ask for."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import quote

from chatsubo.providers.exc import BackendConnectionException, Locked, ProviderError, TimedOut
from chatsubo.providers.pve.client import Client
from chatsubo.providers.pve.errors import Moved, PeerAway, meaning

T = TypeVar("T")

STEP = 0.05
GROWTH = 1.5
LONGEST_STEP = 2.0
PASSING: tuple[type[ProviderError], ...] = (Locked, Moved, PeerAway)
"""What may be otherwise in a while: a backup ends, a guest arrives on another node, a node comes back.

Not that our own connection breaks: who called us tries again then, and everything here can be done twice.
"""
PEER_LIMIT = 60.0
"""Seconds after which a node that another one does not reach is given up."""
AWAY_LIMIT = 10.0
"""Seconds for which nobody may answer while a task is waited for."""
MOVES = 3
"""How often a guest that is not found is looked up again before it counts as gone."""


class Pause:
    """Ever longer pauses, up to a deadline.

    Args:
        deadline: In seconds of :func:`time.monotonic`.
        first: The first pause, in seconds.
    """

    def __init__(self, deadline: float, first: float = STEP) -> None:
        self.deadline = deadline
        self._step = first

    @property
    def over(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.deadline

    async def wait(self) -> None:
        """Wait one step, at most until the deadline."""
        await asyncio.sleep(max(0.0, min(self._step, self.deadline - time.monotonic())))
        self._step = min(self._step * GROWTH, LONGEST_STEP)


class Tasks:
    """The tasks that we began."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def done(self, upid: object, deadline: float) -> None:
        """Wait until a task has ended well. Its node may be away for a while.

        Args:
            upid: What Proxmox answered to the request that began it.
            deadline: When to give up, in seconds of :func:`time.monotonic`; the task goes on.

        Raises:
            TimedOut: It was not done by then.
            ProviderError: As its end says.
        """
        node = _node(upid, self._client.name)
        path = f"/nodes/{node}/tasks/{quote(str(upid), safe='')}/status"
        pause, answered = Pause(deadline), time.monotonic()
        while True:
            try:
                status = await self._client.get_object(path)
            except BackendConnectionException as error:
                limit = PEER_LIMIT if isinstance(error, PeerAway) else AWAY_LIMIT
                if time.monotonic() - answered > limit:
                    raise
            else:
                answered = time.monotonic()
                if status.get("status") == "stopped":
                    return self._judge(str(status.get("exitstatus") or "unknown"))
            if pause.over:
                raise TimedOut(f"{self._client.name}: the task {_kind(upid)} was not done in time")
            await pause.wait()

    def _judge(self, exit_status: str) -> None:
        """Raise what the end of a task means, unless it is good; warnings are good."""
        if exit_status != "OK" and not exit_status.startswith("WARNINGS"):
            raise meaning(0, exit_status, self._client.name)


async def patiently(
    work: Callable[[], Awaitable[T]], deadline: float, *, passing: tuple[type[ProviderError], ...] = PASSING
) -> T:
    """Return what ``work`` returns, tried again while Proxmox says what may be otherwise in a while.

    Args:
        work: Looks everything up anew each time.
        deadline: When to give up, in seconds of :func:`time.monotonic`.
        passing: The errors to try again after.

    Raises:
        ProviderError: The last one, when the deadline has passed, or one that does not pass.
    """
    pause, moves, begun = Pause(deadline, 4 * STEP), 0, time.monotonic()
    before: ProviderError | None = None
    while True:
        try:
            return await work()
        except TimedOut as error:
            # What held it up until now says more than that the last try came too late.
            raise before or error from None
        except passing as error:
            before = error
            moves += isinstance(error, Moved)
            lost = isinstance(error, PeerAway) and time.monotonic() - begun > PEER_LIMIT
            if lost or moves > MOVES or pause.over:
                raise
        await pause.wait()


def _node(upid: object, name: str) -> str:
    parts = str(upid).split(":")
    if len(parts) < 3 or parts[0] != "UPID" or not parts[1]:  # noqa: PLR2004
        raise BackendConnectionException(name, "an answer that is no task")
    return parts[1]


def _kind(upid: object) -> str:
    parts = str(upid).split(":")
    return parts[5] if len(parts) > 5 else "?"  # noqa: PLR2004
