"""Resetting a session's machine."""

import asyncio

from chatsubo.providers.exc import InstanceNotFound, Misconfigured, ProviderError
from chatsubo.testing.kit.asking import asks
from chatsubo.testing.kit.expecting import raised
from chatsubo.testing.kit.ground import STRANGE, Ground


class Resetting(Ground):
    """Checks of ``reset`` with an order."""

    @asks("dynamic", "spoil")
    async def test_a_reset_brings_the_initial_state_back(self) -> None:
        """What a player broke is whole again."""
        order = self.order()
        before = await self.start(order)
        await self.spoil(before)
        assert await self.is_spoiled(before), "spoil() changed nothing: mend the kit's subclass"
        after = await self.reset(self.again(order, 2))
        assert not await self.is_spoiled(after), "what was changed is still changed"

    @asks("dynamic")
    async def test_a_reset_keeps_address_flags_and_creds(self) -> None:
        """A player goes on where they were, and what they found still counts."""
        order = self.order()
        before = await self.start(order)
        after = await self.reset(self.again(order, 2))
        assert (after.address, after.endpoints) == (before.address, before.endpoints), "it is somewhere else now"
        assert (after.flags, after.creds) == (before.flags, before.creds), "its flags or creds have changed"

    @asks("dynamic")
    async def test_a_reset_instance_is_listed_with_the_new_generation(self) -> None:
        """And it alone."""
        order = self.order()
        await self.start(order)
        await self.reset(self.again(order, 2))
        generations = [one.generation for one in await self.listed(order.id)]
        assert generations == [2], f"the generations {generations} are listed"

    @asks("dynamic", "spoil")
    async def test_a_reset_that_is_repeated_resets_once(self) -> None:
        """A worker that repeats the order after a crash does not undo what the player did since."""
        order = self.order()
        await self.start(order)
        after = await self.reset(self.again(order, 2))
        await self.spoil(after)
        repeated = await self.reset(self.again(order, 2), self.second)
        assert repeated.id == after.id, "the repeated reset made another instance"
        assert await self.is_spoiled(repeated), "it was reset a second time"

    @asks("dynamic")
    async def test_two_resets_at_once_leave_one_instance(self) -> None:
        """Of one order, given twice."""
        order = self.order()
        await self.start(order)
        one, two = await asyncio.gather(self.reset(self.again(order, 2)), self.reset(self.again(order, 2)))
        assert one.id == two.id, "two instances were returned"
        assert len(await self.listed(order.id)) == 1, "two instances are listed"

    @asks("dynamic")
    async def test_a_reset_of_what_is_gone_makes_it_anew(self) -> None:
        """With the values of its order."""
        order = self.order()
        await self.start(order)
        await self.first.stop_dynamic_instance(order.id)
        instance = await self.reset(self.again(order, 2))
        wrong = self.told_wrongly(instance, order)
        assert not wrong, wrong
        assert [one.generation for one in await self.listed(order.id)] == [2], "it is not listed"

    @asks("dynamic")
    async def test_a_reset_of_an_older_generation_disturbs_nothing(self) -> None:
        """As for a start."""
        order = self.order(generation=2)
        there = await self.start(order)
        await raised(self.reset(self.again(order, 1)), ProviderError)
        [listed] = await self.listed(order.id)
        assert (listed.id, listed.generation) == (there.id, 2), "the newer instance was replaced"

    @asks("dynamic")
    async def test_a_reset_touches_no_other_session(self) -> None:
        """Another player's machine stays what it is."""
        stays, goes = self.order(), self.order()
        before, _ = await asyncio.gather(self.start(stays), self.start(goes))
        await self.reset(self.again(goes, 2))
        after = await self.listed(stays.id)
        assert [(one.id, one.running) for one in after] == [(before.id, True)], "another session was reset too"

    @asks("dynamic")
    async def test_a_reset_in_a_realm_that_it_does_not_serve_is_refused(self) -> None:
        """As for a start; the session's machine stays what it is."""
        order = self.order()
        before = await self.start(order)
        await raised(self.first.reset(STRANGE, self.template, self.again(order, 2)), Misconfigured)
        after = [(one.id, one.realm, one.running) for one in await self.listed(order.id)]
        assert after == [(before.id, self.realm, True)], "the machine is another now, or gone"

    @asks()
    async def test_there_is_no_classic_instance_to_reset(self) -> None:
        """A classic reset of a template that no classic machine has is told."""
        await raised(self.first.reset(self.realm, "kit-no-such-template"), InstanceNotFound)
