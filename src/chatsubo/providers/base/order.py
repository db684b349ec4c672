"""What a provider is asked to start, and what it tells meanwhile."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from chatsubo.domain.text import Text


class Progress(Protocol):
    """Where a provider tells how a start or a reset goes. Both methods are cheap and never raise."""

    def stage(self, text: Text) -> None:
        """Say what happens now, for the player: ``Text("Waiting for port {port}", {"port": 22})``."""

    def log(self, output: str) -> None:
        """Keep technical output (a build's, a start's) for organisers. It may come in any pieces."""


class NoProgress:
    """A progress that nobody listens to."""

    def stage(self, text: Text) -> None:
        """Do nothing."""

    def log(self, output: str) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one instance may use; ``None`` leaves it to the provider's configuration.

    Attributes:
        memory: Bytes.
        cpus: Cores, 0.5 for half of one.
        processes: Processes and threads at once.
    """

    memory: int | None = None
    cpus: float | None = None
    processes: int | None = None


@dataclass(frozen=True, slots=True)
class StartOrder:
    """One start, or one reset, of a session.

    Attributes:
        id: The session's UUID4, as a string.
        values: ``SESSION``, ``FLAG0`` .. ``FLAG50`` and ``RNG0`` .. ``RNG50``: secrets, but for the first.
        generation: Raised with each start and reset of the session. A provider puts it on what it makes, adopts what
            it finds of this generation, and removes what it finds of an older one.
        deadline: When to give up, in seconds of :func:`time.monotonic`.
        limits: What the instance may use.
        progress: Where to tell how it goes.
    """

    id: str
    values: Mapping[str, str] = field(repr=False)
    generation: int
    deadline: float
    limits: Limits = Limits()
    progress: Progress = field(default_factory=NoProgress, repr=False)

    @property
    def seconds_left(self) -> float:
        """How long is left until the deadline, in seconds; 0 when it has passed."""
        return max(0.0, self.deadline - time.monotonic())
