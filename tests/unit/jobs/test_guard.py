"""Looking after the lock of an engine."""

import asyncio
import re

from sqlalchemy.exc import OperationalError

from chatsubo.jobs.guard import Guard


class AwayLock:
    """A lock in a database that does not answer."""

    def __init__(self) -> None:
        self.looked = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.released = False

    def keep(self) -> None:
        self.loop.call_soon_threadsafe(self.looked.set)
        raise OperationalError("SELECT 1", {}, ConnectionError("gone"))

    def release(self) -> None:
        self.released = True


async def test_a_database_that_does_not_answer_for_a_while_is_trouble() -> None:
    lock = AwayLock()
    guard = Guard(lock, every=0.001)
    assert guard.trouble() == ""
    guard._looked_at -= 60
    await lock.looked.wait()

    assert re.fullmatch(r"the durable engine's database has not answered for \d+ s", guard.trouble())
    await guard.stop()
    guard.release()
    assert lock.released
