"""Orders as the platform gives them, and a progress that remembers."""

import asyncio
import threading
import time
import uuid
from collections.abc import Callable

from chatsubo.domain.text import Text
from chatsubo.domain.values import make_values
from chatsubo.providers.base import Progress, StartOrder


class Recorder:
    """A progress that remembers. It may be told from any thread.

    Attributes:
        stages: The stages it was told, the oldest first.
        logged: The technical output it was told.
        reached: Set once the stage number ``stop_at``, counted from 1, was told.
        then: What is called at that moment, in the loop that the recorder was made in.
    """

    def __init__(self, stop_at: int | None = None) -> None:
        self.stages: list[Text] = []
        self.logged = ""
        self.stop_at = stop_at
        self.reached = asyncio.Event()
        self.then: Callable[[], object] | None = None
        self._thread = threading.get_ident()
        self._loop = asyncio.get_running_loop() if stop_at is not None else None

    def stage(self, text: Text) -> None:
        """Remember a stage."""
        self.stages.append(text)
        if self._loop is not None and len(self.stages) == self.stop_at:
            if threading.get_ident() == self._thread:
                self._reach()
            else:
                self._loop.call_soon_threadsafe(self._reach)

    def log(self, output: str) -> None:
        """Remember technical output."""
        self.logged += output

    def _reach(self) -> None:
        self.reached.set()
        if self.then is not None:
            self.then()


def make_order(generation: int = 1, seconds: float = 600.0, progress: Progress | None = None) -> StartOrder:
    """Return the order of a new session.

    Args:
        generation: Its generation.
        seconds: How long until its deadline.
        progress: Where to tell how it goes; a new :class:`Recorder` without one.
    """
    session = str(uuid.uuid4())
    values = make_values(session, "FLAG")
    return StartOrder(session, values, generation, time.monotonic() + seconds, progress=progress or Recorder())


def again(
    order: StartOrder, generation: int | None = None, progress: Progress | None = None, seconds: float = 600.0
) -> StartOrder:
    """Return the order for the same session, of the same or another generation."""
    number = order.generation if generation is None else generation
    deadline = time.monotonic() + seconds
    return StartOrder(order.id, order.values, number, deadline, progress=progress or Recorder())


def secrets_of(order: StartOrder) -> list[str]:
    """Return the values of an order that nobody but its player may see."""
    return [value for name, value in order.values.items() if name != "SESSION"]
