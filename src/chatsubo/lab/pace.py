"""How long the lab waits for what, and how often it tries."""

import math
import time
from dataclasses import dataclass

from chatsubo.providers.exc import Advice, ProviderError


@dataclass(frozen=True, slots=True)
class Pace:
    """All durations of the lab, in seconds.

    Attributes:
        sweep: Between two looks for what has expired or was left undone.
        listing: Between two looks at a provider.
        listing_least: The least time between two looks at a provider, however often it is asked for.
        listing_most: Between two looks at a provider that does not answer; reached by doubling.
        listing_limit: How long one look may take.
        stop_limit: How long one stop may take.
        calling_off: How long a call that is called off may take to leave nothing behind, before it is abandoned.
        retry_first: Before the second try of a call that a provider advises to retry; doubled for each further one.
        retry_most: Before a try, at most.
        tries: How often a call is tried within one workflow.
        renew_most: Before a stop that did not work is taken up again, at most; reached by doubling.
        renew_removal_most: Likewise, for what a failed session left behind.
        unclaimed: How long a workflow may be under way by the engine's word, without its handler running here.
        stray: How long a machine of an ended session may be listed before it is removed.
        stage: Between two stages that are written down.
        log: Between two times that output is written down.
        jump: A difference between the wall clock and the monotonic clock that counts as a jump.
        housekeeping: Between two removals of expired logins and finished workflows.
        retention: How long finished workflows are kept.
    """

    sweep: float = 1.0
    listing: float = 10.0
    listing_least: float = 1.0
    listing_most: float = 30.0
    listing_limit: float = 30.0
    stop_limit: float = 60.0
    calling_off: float = 15.0
    retry_first: float = 1.0
    retry_most: float = 8.0
    tries: int = 5
    renew_most: float = 60.0
    renew_removal_most: float = 600.0
    unclaimed: float = 15.0
    stray: float = 60.0
    stage: float = 0.2
    log: float = 2.0
    jump: float = 30.0
    housekeeping: float = 60.0
    retention: float = 86_400.0


class Tries:
    """Says when a call that failed is tried again: as long as its provider advises it, and there is time."""

    def __init__(self, pace: Pace, deadline: float = math.inf) -> None:
        """Begin with the first try.

        Args:
            pace: How often to try, and how long to wait in between.
            deadline: When there is no time left, on the monotonic clock in seconds.
        """
        self._pace = pace
        self._deadline = deadline
        self._failed = 0

    def wait_after(self, error: ProviderError) -> float:
        """Return how many seconds to wait before the next try.

        Raises:
            ProviderError: The ``error`` itself, if there is to be no other try.
        """
        self._failed += 1
        wait = error.retry_after or min(self._pace.retry_most, self._pace.retry_first * 2.0 ** (self._failed - 1))
        late = time.monotonic() + wait >= self._deadline
        if error.advice is not Advice.RETRY or self._failed >= self._pace.tries or late:
            raise error
        return wait
