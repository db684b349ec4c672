"""What every dynamic provider must do, whatever hypervisor is behind it."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator

import pytest

from chatsubo.domain.text import Text
from chatsubo.domain.values import make_values
from chatsubo.providers.base import BaseInstance, BaseProvider, StartOrder
from chatsubo.providers.exc import InstanceNotFound, ProviderError, TemplateNotFound, TimedOut


class Recorder:
    """A progress that remembers; at its ``stop_at``-th stage it sets ``reached``."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stages: list[Text] = []
        self.logged = ""
        self.stop_at = stop_at
        self.reached = asyncio.Event()

    def stage(self, text: Text) -> None:
        self.stages.append(text)
        if len(self.stages) == self.stop_at:
            self.reached.set()

    def log(self, output: str) -> None:
        self.logged += output


def make_order(generation: int = 1, seconds: float = 600.0, progress: Recorder | None = None) -> StartOrder:
    """Return the order of a new session."""
    session = str(uuid.uuid4())
    values = make_values(session, "FLAG")
    return StartOrder(session, values, generation, time.monotonic() + seconds, progress=progress or Recorder())


def again(order: StartOrder, generation: int | None = None, progress: Recorder | None = None) -> StartOrder:
    """Return the order for the same session, of the same or another generation."""
    number = order.generation if generation is None else generation
    return StartOrder(order.id, order.values, number, time.monotonic() + 600, progress=progress or Recorder())


class ProviderContract:
    """Subclass it in a ``test_*.py`` with a name that begins with ``Test``.

    Fixtures to give: ``provider``, which can start the template, on a hypervisor without instances; and ``other``, a
    second provider object with the same name for the same hypervisor, as a restarted platform makes it.

    The template (:attr:`template`, in :attr:`realm`) has a flag ``user`` with ``$FLAG0``, a flag ``root`` with
    ``$FLAG1``, and creds ``ssh`` whose password is ``$RNG0``.

    Methods to override: :meth:`spoil` changes something in a running instance, :meth:`is_spoiled` looks whether it is
    still changed, :meth:`traces` lists whatever is left on the hypervisor of a session (processes, folders,
    containers, images, networks of its own), seen with other eyes than the provider's where that can be done.
    """

    realm = "wz01"
    template = "hello"

    async def spoil(self, instance: BaseInstance) -> None:
        raise NotImplementedError

    async def is_spoiled(self, instance: BaseInstance) -> bool:
        raise NotImplementedError

    async def traces(self, session: str) -> list[str]:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    async def _clean(self, provider: BaseProvider, other: BaseProvider) -> AsyncIterator[None]:
        yield
        for instance in (await other.list_instances()).items:
            if instance.session:
                await other.stop_dynamic_instance(instance.session)
        await provider.aclose()
        await other.aclose()

    async def start(self, provider: BaseProvider, order: StartOrder) -> BaseInstance:
        return await provider.start_dynamic_instance(self.realm, self.template, order.id, order)

    async def listed(self, provider: BaseProvider, session: str) -> list[BaseInstance]:
        return [one for one in (await provider.list_instances()).items if one.session == session]

    # What it tells

    async def test_it_says_that_it_can_be_reached_and_starts_on_demand(self, provider: BaseProvider) -> None:
        check = await provider.check()
        assert check.reachable, [str(finding.text) for finding in check.findings]
        assert check.is_dynamic
        assert check.findings

    async def test_it_lists_the_template_with_flags_that_are_still_empty(self, provider: BaseProvider) -> None:
        [template] = [one for one in (await provider.list_templates()).items if one.name == self.template]
        assert template.dynamic
        assert {flag.name: flag.value for flag in template.flags} == {"root": "", "user": ""}
        assert template.provider == provider.name

    async def test_a_started_instance_is_listed_with_session_and_generation(
        self, provider: BaseProvider, other: BaseProvider
    ) -> None:
        order = make_order(generation=3)
        started = await self.start(provider, order)
        [listed] = await self.listed(other, order.id)
        assert (listed.session, listed.generation) == (order.id, 3)
        assert (listed.realm, listed.template) == (self.realm, self.template)
        assert (listed.id, listed.address) == (started.id, started.address)
        assert listed.running

    async def test_only_the_instances_of_a_realm_are_listed_when_asked_for(self, provider: BaseProvider) -> None:
        order = make_order()
        await self.start(provider, order)
        assert [one.session for one in (await provider.list_instances(self.realm)).items] == [order.id]
        assert not (await provider.list_instances("another-realm")).items

    # Starts

    async def test_a_start_passes_the_values(self, provider: BaseProvider) -> None:
        order = make_order()
        instance = await self.start(provider, order)
        flags = {flag.name: flag.value for flag in instance.flags}
        assert flags == {"user": order.values["FLAG0"], "root": order.values["FLAG1"]}
        assert [(one.type, one.password) for one in instance.creds] == [("ssh", order.values["RNG0"])]
        assert instance.address

    async def test_a_start_tells_its_stages(self, provider: BaseProvider) -> None:
        recorder = Recorder()
        await self.start(provider, make_order(progress=recorder))
        assert recorder.stages
        assert all(str(stage) for stage in recorder.stages)

    async def test_starting_twice_gives_the_same_instance(self, provider: BaseProvider, other: BaseProvider) -> None:
        order = make_order()
        first = await self.start(provider, order)
        await self.spoil(first)
        second = await self.start(other, again(order))
        assert (second.id, second.address) == (first.id, first.address)
        assert second.flags == first.flags
        assert await self.is_spoiled(second)
        assert len(await self.listed(provider, order.id)) == 1

    async def test_two_starts_of_a_session_at_once_make_one_instance(self, provider: BaseProvider) -> None:
        order = make_order()
        first, second = await asyncio.gather(self.start(provider, order), self.start(provider, again(order)))
        assert first.id == second.id
        assert len(await self.listed(provider, order.id)) == 1

    async def test_sessions_have_instances_and_addresses_of_their_own(self, provider: BaseProvider) -> None:
        one, two = await asyncio.gather(self.start(provider, make_order()), self.start(provider, make_order()))
        assert one.id != two.id
        places = [{(point.host, point.port) for point in it.endpoints} or {(str(it.address), 0)} for it in (one, two)]
        assert not places[0] & places[1]

    async def test_a_start_of_a_newer_generation_takes_the_place_of_the_older(self, provider: BaseProvider) -> None:
        order = make_order(generation=1)
        await self.spoil(await self.start(provider, order))
        newer = await self.start(provider, again(order, 2))
        assert not await self.is_spoiled(newer)
        assert [one.generation for one in await self.listed(provider, order.id)] == [2]

    async def test_an_order_of_an_older_generation_disturbs_nothing(self, provider: BaseProvider) -> None:
        order = make_order(generation=2)
        there = await self.start(provider, order)
        with pytest.raises(ProviderError):
            await self.start(provider, again(order, 1))
        [listed] = await self.listed(provider, order.id)
        assert (listed.id, listed.generation) == (there.id, 2)

    async def test_a_template_that_is_not_there_is_told(self, provider: BaseProvider) -> None:
        order = make_order()
        with pytest.raises(TemplateNotFound):
            await provider.start_dynamic_instance(self.realm, "no-such-template", order.id, order)
        assert not await self.traces(order.id)

    async def test_a_deadline_that_has_passed_leaves_nothing(self, provider: BaseProvider) -> None:
        order = make_order(seconds=0)
        with pytest.raises(TimedOut):
            await self.start(provider, order)
        assert not await self.listed(provider, order.id)
        assert not await self.traces(order.id)

    async def test_a_start_that_is_cancelled_at_any_stage_leaves_nothing(self, provider: BaseProvider) -> None:
        whole = Recorder()
        await self.start(provider, make_order(progress=whole))
        for stage in range(1, len(whole.stages) + 1):
            recorder = Recorder(stop_at=stage)
            order = make_order(progress=recorder)
            starting = asyncio.create_task(self.start(provider, order))
            await recorder.reached.wait()
            starting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await starting
            assert not await self.listed(provider, order.id), f"cancelled at stage {stage}"
            assert not await self.traces(order.id), f"cancelled at stage {stage}"

    # Stops

    async def test_a_stop_leaves_nothing(self, provider: BaseProvider) -> None:
        order = make_order()
        await self.start(provider, order)
        await provider.stop_dynamic_instance(order.id)
        assert not await self.listed(provider, order.id)
        assert not await self.traces(order.id)

    async def test_stopping_what_is_gone_is_a_success(self, provider: BaseProvider) -> None:
        order = make_order()
        await provider.stop_dynamic_instance(order.id)
        await self.start(provider, order)
        await provider.stop_dynamic_instance(order.id)
        await provider.stop_dynamic_instance(order.id)

    async def test_two_stops_at_once_both_succeed(self, provider: BaseProvider, other: BaseProvider) -> None:
        order = make_order()
        await self.start(provider, order)
        await asyncio.gather(provider.stop_dynamic_instance(order.id), other.stop_dynamic_instance(order.id))
        assert not await self.traces(order.id)

    async def test_a_stop_touches_no_other_session(self, provider: BaseProvider) -> None:
        stays, goes = make_order(), make_order()
        await asyncio.gather(self.start(provider, stays), self.start(provider, goes))
        await provider.stop_dynamic_instance(goes.id)
        [left] = await self.listed(provider, stays.id)
        assert left.running

    # Resets

    async def test_a_reset_brings_the_initial_state_back(self, provider: BaseProvider) -> None:
        order = make_order()
        before = await self.start(provider, order)
        await self.spoil(before)
        assert await self.is_spoiled(before)
        after = await provider.reset(self.realm, self.template, again(order, 2))
        assert not await self.is_spoiled(after)
        assert (after.address, after.endpoints) == (before.address, before.endpoints)
        assert (after.flags, after.creds) == (before.flags, before.creds)
        assert [one.generation for one in await self.listed(provider, order.id)] == [2]

    async def test_a_reset_that_is_repeated_resets_once(self, provider: BaseProvider, other: BaseProvider) -> None:
        order = make_order()
        await self.start(provider, order)
        after = await provider.reset(self.realm, self.template, again(order, 2))
        await self.spoil(after)
        repeated = await other.reset(self.realm, self.template, again(order, 2))
        assert repeated.id == after.id
        assert await self.is_spoiled(repeated)

    async def test_a_reset_of_what_is_gone_makes_it_anew(self, provider: BaseProvider) -> None:
        order = make_order()
        await self.start(provider, order)
        await provider.stop_dynamic_instance(order.id)
        instance = await provider.reset(self.realm, self.template, again(order, 2))
        assert {flag.value for flag in instance.flags} == {order.values["FLAG0"], order.values["FLAG1"]}
        assert [one.generation for one in await self.listed(provider, order.id)] == [2]

    async def test_there_is_no_classic_instance_to_reset(self, provider: BaseProvider) -> None:
        with pytest.raises(InstanceNotFound):
            await provider.reset(self.realm, self.template)

    # Secrets

    async def test_no_secret_is_shown(self, provider: BaseProvider) -> None:
        recorder = Recorder()
        order = make_order(progress=recorder)
        instance = await self.start(provider, order)
        [template] = [one for one in (await provider.list_templates()).items if one.name == self.template]
        shown = [repr(it) for it in (provider, template, instance, order, *instance.flags, *instance.creds)]
        shown += [str(provider.to_json()), recorder.logged, *map(str, recorder.stages)]
        with pytest.raises(ProviderError) as raised:
            await self.start(provider, again(order, 0))
        shown += [repr(raised.value), str(raised.value), raised.value.detail, str(raised.value.text)]
        secrets = [value for name, value in order.values.items() if name != "SESSION"]
        assert not [text for text in shown if any(secret in text for secret in secrets)]
