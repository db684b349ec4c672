"""How often somebody may try something: counted in the database, so that no race and no second process evades it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import RateLimited
from chatsubo.store.database import Database
from chatsubo.store.rate_limits import count_try


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``tries`` in each window of ``seconds``.

    Attributes:
        name: What is limited.
        tries: How many tries a window has.
        seconds: How long a window is.
    """

    name: str
    tries: int
    seconds: int


LOGIN_BY_NAME = RateLimit("login-name", 10, 300)
LOGIN_BY_ADDRESS = RateLimit("login-address", 300, 300)
REGISTER_BY_ADDRESS = RateLimit("register-address", 100, 3600)
PASSWORD = RateLimit("password", 10, 300)
FLAG = RateLimit("flag", 30, 60)
START = RateLimit("start", 20, 60)
VPN_RENEWAL = RateLimit("vpn-renewal", 10, 600)


class RateLimiter:
    """Counts tries. A whole school may come from one address, so limits by account are the tight ones."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def spend(self, limit: RateLimit, who: str | int) -> None:
        """Count one try of ``who``.

        Raises:
            RateLimited: If the window's tries are used up; it says when the next window begins.
        """
        now = self._clock()
        window = int(now.timestamp()) // limit.seconds
        ends = datetime.fromtimestamp((window + 1) * limit.seconds, UTC)
        async with self._db.write() as tx:
            count = await count_try(
                tx, key=f"{limit.name}:{who}"[:160], window=window, expires_at=ends + timedelta(seconds=limit.seconds)
            )
        if count > limit.tries:
            raise RateLimited(max(1, int((ends - now).total_seconds()) + 1))
