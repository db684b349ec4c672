"""Work that several callers want at the same time."""

import asyncio

import pytest

from chatsubo.providers.base import NoProgress
from chatsubo.providers.docker.flights import Flights


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_work_that_was_called_off_does_not_make_the_next_ones_be_done_twice() -> None:
    begun: list[asyncio.Event] = []
    under_way = Flights[str]()

    async def work(_progress: object) -> str:
        go_on = asyncio.Event()
        begun.append(go_on)
        try:
            await go_on.wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # the cleaning up goes on while somebody begins anew
            raise
        return "built"

    first = asyncio.create_task(under_way.join("image", work, NoProgress()))
    await settle()
    first.cancel()
    second = asyncio.create_task(under_way.join("image", work, NoProgress()))
    with pytest.raises(asyncio.CancelledError):
        await first
    await settle()
    third = asyncio.create_task(under_way.join("image", work, NoProgress()))
    await settle()
    assert len(begun) == 2
    begun[1].set()
    assert await second == await third == "built"
