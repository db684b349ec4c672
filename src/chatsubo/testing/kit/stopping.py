"""Stopping what was started."""

import asyncio

from chatsubo.testing.kit.asking import asks
from chatsubo.testing.kit.expecting import ended
from chatsubo.testing.kit.ground import Ground
from chatsubo.testing.orders import Recorder


class Stopping(Ground):
    """Checks of ``stop_dynamic_instance``."""

    @asks("dynamic")
    async def test_a_stop_leaves_nothing(self) -> None:
        """No machine, no disk, no image, no folder."""
        order = self.order()
        await self.start(order)
        await self.first.stop_dynamic_instance(order.id)
        await self.nothing_left(order.id, "a stop")

    @asks("dynamic")
    async def test_another_process_can_stop_it(self) -> None:
        """A platform that was started again stops what it never started."""
        order = self.order()
        await self.start(order)
        await self.second.stop_dynamic_instance(order.id)
        await self.nothing_left(order.id, "a stop by another process")

    @asks("dynamic")
    async def test_stopping_what_never_was_is_a_success(self) -> None:
        """The platform stops to be sure."""
        await self.first.stop_dynamic_instance(self.order().id)

    @asks("dynamic")
    async def test_stopping_twice_is_a_success(self) -> None:
        """What is gone already is a success."""
        order = self.order()
        await self.start(order)
        await self.first.stop_dynamic_instance(order.id)
        await self.first.stop_dynamic_instance(order.id)

    @asks("dynamic")
    async def test_two_stops_at_once_both_succeed(self) -> None:
        """Also when neither knows of the other."""
        order = self.order()
        await self.start(order)
        await asyncio.gather(*(one.stop_dynamic_instance(order.id) for one in (self.first, self.second)))
        await self.nothing_left(order.id, "two stops at once")

    @asks("dynamic")
    async def test_a_stop_touches_no_other_session(self) -> None:
        """Another player's machine goes on running."""
        stays, goes = self.order(), self.order()
        await asyncio.gather(self.start(stays), self.start(goes))
        await self.first.stop_dynamic_instance(goes.id)
        left = await self.listed(stays.id)
        assert [one.running for one in left] == [True], "another session's machine does not run any more"

    @asks("dynamic")
    async def test_a_stop_wins_over_a_start_under_way(self) -> None:
        """A player who stops while the machine starts gets no machine; nothing is left of it."""
        recorder = Recorder(stop_at=2)
        order = self.order(progress=recorder)
        stops: list[asyncio.Future[None]] = []
        recorder.then = lambda: stops.append(asyncio.ensure_future(self.first.stop_dynamic_instance(order.id)))
        starting = asyncio.ensure_future(self.start(order))
        assert await ended(starting, self.patience), "the start goes on"
        await asyncio.gather(*stops)
        if stops:
            await self.nothing_left(order.id, "a stop in the middle of its start")
        else:
            await starting

    @asks("dynamic")
    async def test_a_session_that_was_stopped_can_be_started_again(self) -> None:
        """With the next generation."""
        order = self.order()
        await self.start(order)
        await self.first.stop_dynamic_instance(order.id)
        assert (await self.start(self.again(order, 2))).generation == 2, "it tells another generation"  # noqa: PLR2004
