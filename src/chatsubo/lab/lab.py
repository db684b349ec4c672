"""The lab: everything that talks to hypervisors, in one place to start and to stop."""

from collections.abc import Mapping

from chatsubo.domain.clock import Clock, utc_now
from chatsubo.jobs import Jobs
from chatsubo.live.bus import Bus
from chatsubo.providers.base import BaseProvider
from chatsubo.store.database import Database


class Lab:
    """Starts, resets, stops and watches machines. One per process that talks to hypervisors."""

    def __init__(
        self, db: Database, jobs: Jobs, providers: Mapping[str, BaseProvider], bus: Bus, clock: Clock = utc_now
    ) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        """Launch the engine and begin to watch. Waits for no provider."""

    async def aclose(self) -> None:
        """Stop within two seconds. What is under way is taken up again at the next start."""

    def wake(self) -> None:
        """Look for new intents now. Call it after the commit of an intent; cheap, never raises."""

    def refresh(self, provider: str) -> None:
        """Look at a provider again soon."""

    def health(self) -> Mapping[str, str]:
        """Return what is wrong, by part; empty when all is well. Providers that are away are no reason."""
        return {}
