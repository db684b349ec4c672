"""Processes that die between two requests, and two that work on the same session: what is left is put right."""

import asyncio
import itertools

import pytest

from chatsubo.providers.exc import BackendConnectionException, ProviderError
from chatsubo.providers.pve.clones import Clones
from chatsubo.testing.orders import Recorder, again, make_order
from tests.pve.cluster import dynamic, start


class Mortal:
    """Lets a provider's process die right after it has changed something: it hears no answer and does nothing more.

    Attributes:
        dead: Set when it died.
        buried: Set when all that still waits in it may end, which changes nothing any more.
    """

    def __init__(self, provider, lives):
        self.dead, self.buried = asyncio.Event(), asyncio.Event()
        self._lives, self._ask = lives, provider._client._ask
        provider._client._ask = self

    async def __call__(self, method, path, values):
        if not self.dead.is_set():
            answer = await self._ask(method, path, values)
            self._lives -= method != "GET"
            if self._lives:
                return answer
            self.dead.set()
        await self.buried.wait()
        raise BackendConnectionException("pve/cluster", "this process is dead")

    async def outlived(self, work):
        """Do something, and say whether it was done before the process died."""
        task = asyncio.ensure_future(work)
        dying = asyncio.ensure_future(self.dead.wait())
        await asyncio.wait({task, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        self._task = task
        return task.done()

    async def bury(self):
        self.buried.set()
        await asyncio.gather(self._task, return_exceptions=True)


def clones(lab):
    return sorted(vm.vmid for vm in lab.vms if vm.vmid != 100)


async def each_death(lab, make_provider, prepare, work, check):
    """Do some work again and again, dying one change later each time, until it is done; check what the next one finds.

    Returns:
        How many times it died.
    """
    for lives in itertools.count(1):
        provider, order = make_provider(dynamic=dynamic()), make_order()
        await prepare(provider, order)
        mortal = Mortal(provider, lives)
        done = await mortal.outlived(work(provider, order))
        await check(make_provider(dynamic=dynamic()), order)
        await mortal.bury()
        assert clones(lab) == [], f"after {lives} changes"
        assert {vmid for vmid, one in lab._fw()["guests"].items() if one["rules"]} <= {100}
        if done:
            break
    return lives - 1


async def nothing(_provider, _order):
    pass


async def test_a_start_that_dies_after_any_request_is_finished_by_the_next_process(lab, make_provider):
    async def check(provider, order):
        instance = await start(provider, again(order))
        assert clones(lab) == [instance.id]
        await provider.stop_dynamic_instance(order.id)

    assert await each_death(lab, make_provider, nothing, start, check) > 10


async def test_a_copy_that_ends_while_the_next_process_begins_is_not_left_behind(lab, make_provider, monkeypatch):
    provider, order = make_provider(dynamic=dynamic()), make_order()
    mortal = Mortal(provider, 1)
    lab.may_end.clear()
    assert not await mortal.outlived(start(provider, order))
    [left] = clones(lab)
    in_use = Clones._in_use

    async def a_moment_later(self):
        lab.may_end.set()
        while lab.vm(left).config.get("lock"):  # noqa: ASYNC110  the fake has no event for it
            await asyncio.sleep(0)
        return await in_use(self)

    monkeypatch.setattr(Clones, "_in_use", a_moment_later)
    instance = await start(make_provider(dynamic=dynamic()), again(order))
    assert clones(lab) == [instance.id]
    await mortal.bury()


async def test_what_a_start_that_dies_leaves_is_removed_by_a_stop(lab, make_provider):
    async def check(provider, order):
        while [one for one in lab.tasklog if one["status"] == "running"]:  # noqa: ASYNC110  the fake has no event for it
            # While it is copied nobody can see whose it is: the platform comes back for it.
            await asyncio.sleep(0)
        await provider.stop_dynamic_instance(order.id)

    await each_death(lab, make_provider, nothing, start, check)


async def test_a_reset_that_dies_after_any_request_is_finished_by_the_next_process(lab, make_provider):
    before = {}

    async def prepare(provider, order):
        before[order.id] = await start(provider, order)

    async def reset(provider, order):
        await provider.reset("wz01", "hello", again(order, 2))

    async def check(provider, order):
        instance = await provider.reset("wz01", "hello", again(order, 3))
        assert clones(lab) == [instance.id]
        assert (instance.address, instance.generation) == (before[order.id].address, 3)
        await provider.stop_dynamic_instance(order.id)

    assert await each_death(lab, make_provider, prepare, reset, check) > 12


async def test_a_stop_that_dies_after_any_request_is_finished_by_the_next_process(lab, make_provider):
    async def stop(provider, order):
        await provider.stop_dynamic_instance(order.id)

    assert await each_death(lab, make_provider, start, stop, stop) == 2


async def test_two_processes_that_start_one_session_leave_one_clone(lab, make_provider):
    order = make_order()
    both = [make_provider(dynamic=dynamic()) for _ in range(2)]
    ends = await asyncio.gather(*(start(one, again(order)) for one in both), return_exceptions=True)
    assert [one for one in ends if not isinstance(one, ProviderError)]
    assert not [one for one in ends if isinstance(one, BaseException) and not isinstance(one, ProviderError)]
    instance = await start(both[0], again(order))
    assert clones(lab) == [instance.id]


class Sleeper:
    """Lets a provider's process sleep from a stage of its start on, until it is woken."""

    def __init__(self, provider, stage):
        self.progress, self.awake = Recorder(stop_at=stage), asyncio.Event()
        self._ask = provider._client._ask
        provider._client._ask = self

    async def __call__(self, *asked):
        if self.progress.reached.is_set():
            await self.awake.wait()
        return await self._ask(*asked)


@pytest.mark.parametrize("stage", [2, 3, 4, 5])
async def test_a_stop_by_another_process_ends_a_start_that_is_under_way(lab, make_provider, stage):
    provider = make_provider(dynamic=dynamic())
    sleeper = Sleeper(provider, stage)
    order = make_order(progress=sleeper.progress)
    starting = asyncio.ensure_future(start(provider, order))
    await sleeper.progress.reached.wait()
    await make_provider(dynamic=dynamic()).stop_dynamic_instance(order.id)
    sleeper.awake.set()
    with pytest.raises(ProviderError):
        await starting
    assert clones(lab) == []


@pytest.mark.parametrize("stage", [1, 2, 3, 4, 5])
async def test_a_process_that_slept_does_nothing_to_the_clone_of_a_later_generation(lab, make_provider, stage):
    """A reset keeps the id, so what it wakes up to is not what it made."""
    provider, other = make_provider(dynamic=dynamic()), make_provider(dynamic=dynamic())
    sleeper = Sleeper(provider, stage)
    order = make_order(progress=sleeper.progress)
    starting = asyncio.ensure_future(start(provider, order))
    await sleeper.progress.reached.wait()
    instance = await other.reset("wz01", "hello", again(order, 2))
    born = lab.vm(instance.id)
    sleeper.awake.set()
    with pytest.raises(ProviderError):
        await starting
    assert lab.vm(instance.id) is born
    assert clones(lab) == [instance.id]
    [listed] = (await other.list_instances()).items
    assert (listed.generation, listed.address, listed.running) == (2, instance.address, True)
