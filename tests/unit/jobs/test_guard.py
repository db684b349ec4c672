"""Looking after the lock of an engine."""

import asyncio
import re
import threading

from sqlalchemy.exc import OperationalError

from chatsubo.jobs.guard import Guard

WITHIN = 15.0
"""Seconds within which a server ends, on a machine that is busy with other things too."""


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


class Hanging:
    """A lock on a database that a network cut off: it neither answers nor fails."""

    def __init__(self) -> None:
        self.looked, self.cut = threading.Event(), threading.Event()

    def keep(self) -> None:
        self.looked.set()
        self.cut.wait()

    def release(self) -> None:
        raise AssertionError("it is in use")


def test_a_look_that_hangs_does_not_keep_the_server_from_ending() -> None:
    lock = Hanging()

    async def serve() -> None:
        guard = Guard(lock, 0.001)
        await asyncio.to_thread(lock.looked.wait)
        await guard.stop()
        guard.release()

    server = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    server.start()
    server.join(WITHIN)
    ended = not server.is_alive()
    lock.cut.set()
    server.join()
    assert ended
