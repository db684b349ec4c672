"""Many at once."""

import asyncio

from chatsubo.providers.base import BaseInstance, StartOrder
from chatsubo.testing.kit.asking import asks
from chatsubo.testing.kit.ground import Ground


class Crowds(Ground):
    """Checks of many calls at the same time."""

    async def start_all(self, orders: list[StartOrder]) -> list[BaseInstance]:
        """Start all sessions, as many at once as the platform would."""
        places = asyncio.Semaphore(self.first.max_concurrent_starts)

        async def start(order: StartOrder) -> BaseInstance:
            async with places:
                return await self.start(self.again(order))

        return list(await asyncio.gather(*(start(order) for order in orders)))

    @asks("dynamic")
    async def test_a_crowd_of_sessions_starts_at_once(self) -> None:
        """Each gets a machine, an address and values of its own."""
        orders = [self.order() for _ in range(self.crowd)]
        started = await self.start_all(orders)
        assert len({one.id for one in started}) == self.crowd, "some share an instance"
        wrong = [one.session for order, one in zip(orders, started, strict=True) if one.session != order.id]
        assert not wrong, "some were given another session's instance"
        owners = {value: order.id for order in orders for value in order.values.values()}
        strange = [
            flag.name for one in started for flag in one.flags if owners.get(flag.value, one.session) != one.session
        ]
        assert not strange, "some were given another session's flags"

    @asks("dynamic")
    async def test_a_crowd_is_listed_whole_and_stopped_at_once(self) -> None:
        """Nothing is lost of a listing, and nothing is left after the stops."""
        orders = [self.order() for _ in range(self.crowd)]
        await self.start_all(orders)
        listed = {one.session for one in (await self.first.list_instances()).items}
        missing = [order.id for order in orders if order.id not in listed]
        assert not missing, f"{len(missing)} of {self.crowd} are not listed"
        await asyncio.gather(*(self.first.stop_dynamic_instance(order.id) for order in orders))
        listed = {one.session for one in (await self.first.list_instances()).items}
        left = [order.id for order in orders if order.id in listed]
        assert not left, f"{len(left)} of {self.crowd} are still listed"

    @asks("dynamic")
    async def test_listings_work_while_machines_start_and_stop(self) -> None:
        """A machine that comes or goes in the middle of a listing does not break it."""
        orders = [self.order() for _ in range(4)]

        async def come_and_go(order: StartOrder) -> None:
            await self.start(order)
            await self.first.stop_dynamic_instance(order.id)

        going = asyncio.gather(*(come_and_go(order) for order in orders))
        while not going.done():
            await self.second.list_instances()
            await self.second.list_templates()
        await going
