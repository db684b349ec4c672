"""The event bus of one process: who publishes does not know who listens."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

EVERYONE = "everyone"
ADMINS = "admins"
BACKLOG = 64
_LONGEST_COUNT = 18


def account_topic(account_id: int) -> str:
    """Return the topic that only the account's own browsers listen to."""
    return f"account:{account_id}"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. It says what to look at again, and holds nothing that its listeners may not see.

    Attributes:
        name: ``session``, ``standings``, ``notice``, ``boxes``, ``submission``, ``provider``, ...
        data: Plain JSON values.
    """

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)


RESYNC = Event("resync")
"""Told to a listener that was too slow: events were left out, look at everything again."""


class Subscription:
    """One listener's queue. Iterate over it; it ends when the bus closes."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._behind = False

    def put(self, event: Event | None) -> None:
        """Queue ``event``; ``None`` ends the subscription. A listener that is behind gets one ``resync`` instead."""
        if event is not None and self._queue.qsize() >= BACKLOG:
            if self._behind:
                return
            self._behind = True
            event = RESYNC
        self._queue.put_nowait(event)

    async def next(self, within: float | None = None) -> Event | None:
        """Return the next event, or ``None`` at the end.

        Args:
            within: Seconds to wait at most.

        Raises:
            TimeoutError: If nothing came within that time.
        """
        async with asyncio.timeout(within):
            event = await self._queue.get()
        if self._queue.empty():
            self._behind = False
        return event

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Yield the events until the end."""
        while (event := await self.next()) is not None:
            yield event


class Bus:
    """Carries events from publishers to the listeners of their topic."""

    def __init__(self) -> None:
        self._name = secrets.token_hex(4)
        self._published = 0
        self._newest: dict[str, int] = {}
        self._topics: dict[str, set[Subscription]] = {}
        self._closed = False

    @property
    def position(self) -> str:
        """How far the bus has come: what is read after this was asked knows all that was published until now."""
        return f"{self._name}-{self._published}"

    def missed(self, topics: Iterable[str], since: str) -> bool:
        """Return whether anything was published on ``topics`` after a position.

        A position of another bus, such as the one before a restart, says nothing: everything may have been missed.
        """
        name, _, count = since.partition("-")
        if name != self._name or not (count.isascii() and count.isdigit()):
            return True
        return any(self._newest.get(topic, 0) > int(count[:_LONGEST_COUNT]) for topic in topics)

    def publish(self, topic: str, event: Event) -> None:
        """Hand ``event`` to all who listen to ``topic`` now. Never blocks, never raises."""
        self._published += 1
        self._newest[topic] = self._published
        for subscription in tuple(self._topics.get(topic, ())):
            subscription.put(event)

    @contextlib.contextmanager
    def subscribe(self, topics: Iterable[str]) -> Iterator[Subscription]:
        """Give a subscription to ``topics`` for as long as the context lasts."""
        subscription = Subscription()
        topics = tuple(topics)
        for topic in topics:
            self._topics.setdefault(topic, set()).add(subscription)
        if self._closed:
            subscription.put(None)
        try:
            yield subscription
        finally:
            for topic in topics:
                self._topics[topic].discard(subscription)
                if not self._topics[topic]:
                    del self._topics[topic]

    def close(self) -> None:
        """End every subscription, so that open streams end and the server can stop."""
        self._closed = True
        for subscription in {one for group in self._topics.values() for one in group}:
            subscription.put(None)
