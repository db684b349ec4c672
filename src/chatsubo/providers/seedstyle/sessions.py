"""What a plugin of the founding document does not know: generations, and that a session's starts come one by one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from chatsubo.providers.exc import Cancelled


class Sessions:
    """The sessions of one provider, as far as this process has seen them start."""

    def __init__(self) -> None:
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}
        self._generations: dict[str, int] = {}

    @contextlib.asynccontextmanager
    async def turn(self, session: str) -> AsyncIterator[None]:
        """Wait until no other start or reset of the session is under way."""
        lock, waiting = self._turns.get(session, (asyncio.Lock(), 0))
        self._turns[session] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._turns.pop(session)
            if waiting > 1:
                self._turns[session] = (lock, waiting - 1)

    def generation(self, session: str | None) -> int:
        """Return the generation that a session's instance was made for; 0 where that was before this process."""
        return self._generations.get(session or "", 0)

    def made(self, session: str, generation: int) -> None:
        """Keep the generation that a session's instance was made for."""
        self._generations[session] = generation

    def gone(self, session: str) -> None:
        """Forget a session whose instance is gone."""
        self._generations.pop(session, None)

    def refuse_older(self, session: str, generation: int) -> None:
        """Refuse an order that a newer one has overtaken.

        Raises:
            Cancelled: If it is of an older generation than what was made.
        """
        if generation < self.generation(session):
            raise Cancelled(f"generation {generation} was overtaken by {self.generation(session)}")
