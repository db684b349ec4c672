"""Clocks that jump: a laptop that wakes up, a server whose time is set."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from chatsubo.testing.kit.asking import asks
from chatsubo.testing.kit.expecting import failure_of
from chatsubo.testing.kit.ground import Ground

YEARS = 10 * 365 * 24 * 3600.0


class Clocks(Ground):
    """Checks with a wall clock that jumps; deadlines are of the monotonic clock, which does not."""

    @asks("dynamic")
    async def test_a_start_works_though_the_clock_jumps_ahead(self) -> None:
        """Ten years later the deadline has not passed."""
        with clock_off_by(YEARS):
            failed = await failure_of(self.start(self.order()))
        assert failed is None, f"the start failed: {failed!r}"

    @asks("dynamic")
    async def test_a_start_works_though_the_clock_jumps_back(self) -> None:
        """Ten years earlier it does not wait for ten years."""
        with clock_off_by(-YEARS):
            failed = await failure_of(self.start(self.order()))
        assert failed is None, f"the start failed: {failed!r}"

    @asks("dynamic")
    async def test_an_instance_stays_whatever_the_clock_says(self) -> None:
        """How long a session lasts is the platform's affair: a listing leaves nothing out, and removes nothing."""
        order = self.order()
        await self.start(order)
        with clock_off_by(YEARS):
            assert len(await self.listed(order.id)) == 1, "it is listed no more once the clock jumped"
        assert len(await self.listed(order.id)) == 1, "it is gone once the clock jumped and was set right"


@contextmanager
def clock_off_by(seconds: float) -> Iterator[None]:
    """Make this process's wall clock wrong by ``seconds``."""
    real, exact = time.time, time.time_ns
    with (
        mock.patch("time.time", side_effect=lambda: real() + seconds),
        mock.patch("time.time_ns", side_effect=lambda: exact() + int(seconds * 1e9)),
    ):
        yield
