"""Starting machines on demand."""

import asyncio

from chatsubo.providers.exc import Misconfigured, ProviderError, TemplateNotFound
from chatsubo.testing.kit.asking import asks
from chatsubo.testing.kit.expecting import raised
from chatsubo.testing.kit.ground import STRANGE, Ground
from chatsubo.testing.orders import Recorder


class Starting(Ground):
    """Checks of ``start_dynamic_instance``."""

    @asks("dynamic")
    async def test_a_start_returns_a_running_instance_with_an_address(self) -> None:
        """What a start returns is ready: it runs, and players know where to go."""
        order = self.order(generation=3)
        started = await self.start(order)
        assert started.running, "it does not run"
        assert started.address or started.endpoints, "it has neither an address nor an endpoint"
        assert (started.session, started.generation) == (order.id, 3), "it tells another session or generation"
        assert (started.realm, started.template) == (self.realm, self.template), "it tells another realm or template"

    @asks("dynamic")
    async def test_a_started_instance_is_listed_with_session_and_generation(self) -> None:
        """A new process that knows nothing finds it: the hypervisor carries session and generation."""
        order = self.order(generation=3)
        started = await self.start(order)
        found = await self.listed(order.id)
        assert len(found) == 1, f"{len(found)} instances of the session are listed"
        [listed] = found
        assert listed.generation == order.generation, f"it is listed with the generation {listed.generation}"
        assert (listed.realm, listed.template) == (self.realm, self.template), "with another realm or template"
        assert (listed.id, listed.address) == (started.id, started.address), "with another id or address"
        assert listed.running, "it is listed as not running"

    @asks("dynamic")
    async def test_only_the_instances_of_a_realm_are_listed_when_asked_for(self) -> None:
        """A realm's listing has its instances, and no others."""
        order = self.order()
        await self.start(order)
        here = (await self.first.list_instances(self.realm)).items
        assert order.id in {one.session for one in here}, "it is missing from its realm"
        there = (await self.first.list_instances(STRANGE)).items
        assert order.id not in {one.session for one in there}, "it is listed for another realm"

    @asks("dynamic")
    async def test_a_start_passes_the_values(self) -> None:
        """The flags and creds that a start returns are those of its order, and are read back by a listing."""
        order = self.order()
        started = await self.start(order)
        [listed] = await self.listed(order.id)
        for told, instance in (("returned", started), ("listed", listed)):
            wrong = self.told_wrongly(instance, order)
            assert not wrong, f"as it is {told}, {wrong}"

    @asks("dynamic")
    async def test_a_start_tells_its_stages(self) -> None:
        """A player sees what happens meanwhile."""
        recorder = Recorder()
        await self.start(self.order(progress=recorder))
        assert recorder.stages, "it tells nothing while it starts"
        assert all(str(stage).strip() for stage in recorder.stages), "a stage is empty"

    @asks("dynamic")
    async def test_starting_twice_gives_the_same_instance(self) -> None:
        """A start that is repeated, by a platform that was started again, adopts what is there."""
        order = self.order()
        first = await self.start(order)
        second = await self.start(self.again(order), self.second)
        assert (second.id, second.address) == (first.id, first.address), "the second start made another instance"
        assert second.flags == first.flags, "its flags have changed"

    @asks("dynamic", "spoil")
    async def test_a_start_that_is_repeated_leaves_the_machine_as_it_is(self) -> None:
        """Adopting is not resetting: what the player did meanwhile stays."""
        order = self.order()
        await self.spoil(await self.start(order))
        assert await self.is_spoiled(await self.start(self.again(order), self.second)), "the machine was reset"

    @asks("dynamic")
    async def test_two_starts_of_a_session_at_once_make_one_instance(self) -> None:
        """Also when neither knows of the other beforehand."""
        order = self.order()
        first, second = await asyncio.gather(self.start(order), self.start(self.again(order)))
        assert first.id == second.id, "two instances were returned"
        assert len(await self.listed(order.id)) == 1, "two instances are listed"

    @asks("dynamic")
    async def test_sessions_have_instances_and_addresses_of_their_own(self) -> None:
        """No player is sent to another's machine."""
        one, two = await asyncio.gather(self.start(self.order()), self.start(self.order()))
        assert one.id != two.id, "both sessions have one instance"
        places = [{(point.host, point.port) for point in it.endpoints} or {(str(it.address), 0)} for it in (one, two)]
        assert not places[0] & places[1], f"both are at {places[0] & places[1]}"

    @asks("dynamic")
    async def test_a_start_of_a_newer_generation_takes_the_place_of_the_older(self) -> None:
        """What an older generation left is removed first."""
        order = self.order(generation=1)
        await self.start(order)
        await self.start(self.again(order, 2))
        generations = [one.generation for one in await self.listed(order.id)]
        assert generations == [2], f"the generations {generations} are there"

    @asks("dynamic")
    async def test_an_order_of_an_older_generation_disturbs_nothing(self) -> None:
        """A worker that was paused and wakes up late must not destroy what took its place."""
        order = self.order(generation=2)
        there = await self.start(order)
        await raised(self.start(self.again(order, 1)), ProviderError)
        [listed] = await self.listed(order.id)
        assert (listed.id, listed.generation) == (there.id, 2), "the newer instance was replaced"

    @asks("dynamic")
    async def test_a_template_that_is_not_there_is_told(self) -> None:
        """With the error that says so, and nothing left."""
        order = self.order()
        start = self.first.start_dynamic_instance(self.realm, "kit-no-such-template", order.id, order)
        await raised(start, TemplateNotFound)
        await self.nothing_left(order.id, "the start of a template that is not there")

    @asks("dynamic")
    async def test_a_start_in_a_realm_that_it_does_not_serve_is_refused(self) -> None:
        """An admin has to see to the configuration: trying again would not help. Nothing is made."""
        order = self.order()
        start = self.first.start_dynamic_instance(STRANGE, self.template, order.id, order)
        await raised(start, Misconfigured)
        await self.nothing_left(order.id, "a start in a realm that it does not serve")

    @asks("dynamic")
    async def test_an_instance_can_be_told_in_plain_values(self) -> None:
        """An instance names its machines; ``to_json()`` tells what it is."""
        started = await self.start(self.order())
        assert started.machines, "it has no machines"
        told = started.to_json()
        assert (told["id"], told["address"]) == (started.id, started.address), "to_json() tells something else"
