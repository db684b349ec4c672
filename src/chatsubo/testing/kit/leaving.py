"""Nothing is left behind by what did not come to its end."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from chatsubo.providers.base import StartOrder
from chatsubo.providers.exc import BuildFailed, NotReady, TimedOut
from chatsubo.testing.kit.asking import asks
from chatsubo.testing.kit.expecting import ended, failure_of, raised
from chatsubo.testing.kit.ground import Ground
from chatsubo.testing.orders import Recorder


class Leaving(Ground):
    """Checks of starts that fail, are cancelled, or run out of time, at each step."""

    async def at_each_stage(self) -> AsyncIterator[tuple[int, StartOrder, Recorder, "asyncio.Future[Any]"]]:
        """Yield a start for each of its stages, with the recorder that is told when it is reached."""
        whole = Recorder()
        order = self.order(progress=whole)
        await self.start(order)
        await self.first.stop_dynamic_instance(order.id)
        for stage in range(1, len(whole.stages) + 1):
            recorder = Recorder(stop_at=stage)
            order = self.order(progress=recorder)
            yield stage, order, recorder, asyncio.ensure_future(self.start(order))

    @asks("dynamic")
    async def test_a_start_that_is_cancelled_at_any_stage_leaves_nothing(self) -> None:
        """A call that is cancelled cleans up before it ends."""
        async for stage, order, recorder, starting in self.at_each_stage():
            recorder.then = starting.cancel
            assert await reached_or_ended(recorder, starting), f"stage {stage} did not come again"
            assert await ended(starting, self.grace), f"cancelled at stage {stage}, it goes on"
            if starting.cancelled() or starting.exception() is not None:
                await self.nothing_left(order.id, f"a cancel at stage {stage}")

    @asks("dynamic")
    async def test_a_start_that_was_cancelled_ends_as_cancelled(self) -> None:
        """``asyncio.CancelledError`` is not swallowed: who cancelled waits for it."""
        recorder = Recorder(stop_at=1)
        starting = asyncio.ensure_future(self.start(self.order(progress=recorder)))
        recorder.then = starting.cancel
        if await reached_or_ended(recorder, starting):
            assert await ended(starting, self.grace), "it goes on"
            assert starting.cancelled(), "it ended in another way"
        else:
            await starting

    @asks("dynamic")
    async def test_a_start_that_was_cancelled_can_be_made_again(self) -> None:
        """The player tries once more."""
        recorder = Recorder(stop_at=1)
        order = self.order(progress=recorder)
        starting = asyncio.ensure_future(self.start(order))
        recorder.then = starting.cancel
        await reached_or_ended(recorder, starting)
        assert await ended(starting, self.grace), "it goes on"
        assert (await self.start(self.again(order))).running, "it does not run"

    @asks("dynamic")
    async def test_a_deadline_that_has_passed_leaves_nothing(self) -> None:
        """With the error that says so."""
        order = self.order(seconds=0)
        await raised(self.start(order), TimedOut)
        await self.nothing_left(order.id, "a deadline that has passed")

    @asks("dynamic", "plant_broken")
    async def test_a_start_that_fails_leaves_nothing(self) -> None:
        """A template whose machine does not come up costs no disk and no address."""
        template = await self.plant_broken()
        order = self.order(seconds=min(self.patience, 30))
        start = self.first.start_dynamic_instance(self.realm, template, order.id, order)
        await raised(start, BuildFailed, NotReady, TimedOut)
        await self.nothing_left(order.id, "a start that failed")

    @asks("dynamic", "away")
    async def test_a_hypervisor_that_goes_away_at_any_stage_can_be_tidied_up_later(self) -> None:
        """The start fails as a provider's error; once the hypervisor is back, stops leave nothing.

        What it was asked for before it went may still come into being: the platform stops whatever is listed again.
        """
        async for stage, order, recorder, starting in self.at_each_stage():
            await reached_or_ended(recorder, starting)
            await self.away()
            await failure_of(starting)
            await self.back()
            until = time.monotonic() + self.grace
            await self.first.stop_dynamic_instance(order.id)
            while await self.traces(order.id) and time.monotonic() < until:
                await asyncio.sleep(self.hurry / 5)
                await self.first.stop_dynamic_instance(order.id)
            await self.nothing_left(order.id, f"a hypervisor that went away at stage {stage}, and stops")

    @asks("dynamic", "away")
    async def test_a_start_that_failed_works_once_the_hypervisor_is_back(self) -> None:
        """The platform tries the same order again."""
        order = self.order()
        await self.away()
        await failure_of(self.start(order))
        await self.back()
        assert (await self.start(self.again(order))).running, "it does not run"
        assert len(await self.listed(order.id)) == 1, "more than one is listed"


async def reached_or_ended(recorder: Recorder, starting: "asyncio.Future[Any]") -> bool:
    """Wait until a start reached the stage that its recorder waits for, or ended; return whether it reached it."""
    reached = asyncio.ensure_future(recorder.reached.wait())
    await asyncio.wait({starting, reached}, return_when=asyncio.FIRST_COMPLETED)
    reached.cancel()
    if starting.done() and not starting.cancelled():
        starting.exception()  # somebody has seen it now
    return recorder.reached.is_set()
