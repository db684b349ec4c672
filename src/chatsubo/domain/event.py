"""When the event is: from when and until when players play."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chatsubo.domain.errors import EventOver, NotOpenYet


class Phase(StrEnum):
    """Where a moment lies."""

    BEFORE = "before"
    OPEN = "open"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Window:
    """The time in which players play; organisers play always.

    Attributes:
        opens_at: Its first moment; ``None`` where there is none.
        closes_at: The first moment after it; likewise.
    """

    opens_at: datetime | None = None
    closes_at: datetime | None = None

    def phase(self, now: datetime) -> Phase:
        """Return where ``now`` lies."""
        if self.opens_at is not None and now < self.opens_at:
            return Phase.BEFORE
        if self.closes_at is not None and now >= self.closes_at:
            return Phase.OVER
        return Phase.OPEN

    def must_have_begun(self, now: datetime) -> None:
        """Let those pass who may know what there is to play.

        Raises:
            NotOpenYet: Before the first moment.
        """
        if self.phase(now) is Phase.BEFORE:
            raise NotOpenYet

    def must_be_open(self, now: datetime) -> None:
        """Let those pass who play.

        Raises:
            EventOver: After the last moment.
            NotOpenYet: Before the first one.
        """
        self.must_have_begun(now)
        if self.phase(now) is Phase.OVER:
            raise EventOver
