"""The engine without memory keeps what it is asked to keep."""

import asyncio

from chatsubo.jobs import Started
from chatsubo.testing import MemoryJobs


async def test_a_workflow_that_ended_a_moment_ago_is_not_begun_again() -> None:
    jobs, ended = MemoryJobs(), asyncio.Event()

    async def handler(*_: object) -> None:
        ended.set()

    jobs.handle_with(handler)
    assert await jobs.start("session", 1, "start") is Started.NEW
    await ended.wait()
    await asyncio.sleep(0)

    await jobs.forget(older_than=3600)
    assert await jobs.start("session", 1, "start") is Started.ENDED
    await jobs.forget(older_than=-1)
    assert await jobs.start("session", 1, "start") is Started.NEW
