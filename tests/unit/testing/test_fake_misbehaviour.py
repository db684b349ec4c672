"""The fake misbehaves as it is told to."""

import asyncio
import threading

import pytest

from chatsubo.config import load
from chatsubo.providers.base import StartOrder
from chatsubo.providers.exc import (
    AccessRefused,
    BackendConnectionException,
    Cancelled,
    InstanceNotFound,
    Locked,
    Misconfigured,
    NoCapacity,
    NotReady,
    TimedOut,
)
from chatsubo.testing import STEPS, FakeConfig, FakeHypervisor, FakeProvider, FakeTemplate, again, make_order


@pytest.fixture
def there() -> FakeHypervisor:
    return FakeHypervisor()


@pytest.fixture
def provider(there: FakeHypervisor) -> FakeProvider:
    return FakeProvider(hypervisor=there)


async def start(provider: FakeProvider, order: StartOrder):
    return await provider.start_dynamic_instance("wz01", "hello", order.id, order)


@pytest.mark.parametrize("step", ["start:create", "start:boot", "start:ready"])
async def test_a_start_fails_at_the_step_it_was_told_to_and_leaves_nothing(
    there: FakeHypervisor, provider: FakeProvider, step: str
) -> None:
    there.fail(step, NotReady("port 22 is silent"), times=1)
    order = make_order()
    with pytest.raises(NotReady, match="port 22"):
        await start(provider, order)
    assert not there.machines
    assert (await start(provider, order)).running


async def test_a_half_made_machine_is_left_when_asked_for(there: FakeHypervisor, provider: FakeProvider) -> None:
    there.leaves_half_made = True
    there.fail("start:boot", times=1)
    order = make_order()
    with pytest.raises(BackendConnectionException):
        await start(provider, order)
    [half] = (await provider.list_instances()).items
    assert not half.running
    assert (await start(provider, order)).running


async def test_a_planted_half_made_machine_is_finished(there: FakeHypervisor, provider: FakeProvider) -> None:
    order = make_order()
    half = there.plant("hello", "wz01", order.id, ready=False)
    whole = await start(provider, order)
    assert whole.running
    assert whole.address == half.address


async def test_a_step_takes_as_long_as_the_test_wants(there: FakeHypervisor, provider: FakeProvider) -> None:
    gate = there.hold("start:boot")
    starting = asyncio.create_task(start(provider, make_order()))
    await gate.reached()
    assert [one.running for one in (await provider.list_instances()).items] == [False]
    gate.open()
    assert (await starting).running


async def test_an_event_makes_a_step_slow_too(there: FakeHypervisor, provider: FakeProvider) -> None:
    event = asyncio.Event()
    there.slow("reset", event, times=1)
    order = make_order()
    await start(provider, order)
    resetting = asyncio.create_task(provider.reset("wz01", "hello", again(order, 2)))
    await asyncio.sleep(0)
    event.set()
    assert (await resetting).generation == 2


async def test_a_gate_is_opened_from_another_thread_and_loop(there: FakeHypervisor, provider: FakeProvider) -> None:
    gate = there.hold("start:create")

    async def open_it() -> None:
        await gate.reached()
        gate.open()

    thread = threading.Thread(target=lambda: asyncio.run(open_it()))
    thread.start()
    assert (await start(provider, make_order())).running
    await asyncio.to_thread(thread.join)


async def test_what_hangs_ends_at_the_deadline(there: FakeHypervisor, provider: FakeProvider) -> None:
    there.hang("start:ready")
    with pytest.raises(TimedOut):
        await start(provider, make_order(seconds=0.05))
    assert not there.machines


async def test_a_stop_calls_off_a_start_under_way(there: FakeHypervisor, provider: FakeProvider) -> None:
    gate = there.hold("start:ready")
    order = make_order()
    starting = asyncio.create_task(start(provider, order))
    await gate.reached()
    await provider.stop_dynamic_instance(order.id)
    gate.open()
    with pytest.raises(Cancelled):
        await starting
    assert not there.machines


async def test_away_fails_every_step_until_it_is_back(there: FakeHypervisor, provider: FakeProvider) -> None:
    order = make_order()
    await start(provider, order)
    there.away()
    assert not (await provider.check()).reachable
    for call in (provider.list_templates(), provider.list_instances(), provider.stop_dynamic_instance(order.id)):
        with pytest.raises(BackendConnectionException):
            await call
    there.back()
    assert (await provider.check()).reachable
    assert len((await provider.list_instances()).items) == 1


async def test_a_hypervisor_that_goes_away_during_a_start_fails_it(
    there: FakeHypervisor, provider: FakeProvider
) -> None:
    gate = there.hold("start:boot")
    starting = asyncio.create_task(start(provider, make_order()))
    await gate.reached()
    there.away()
    gate.open()
    with pytest.raises(BackendConnectionException):
        await starting


async def test_it_refuses(there: FakeHypervisor, provider: FakeProvider) -> None:
    there.refuse()
    with pytest.raises(AccessRefused):
        await provider.list_instances()


async def test_malformed_items_are_rejected_and_the_rest_is_listed(
    there: FakeHypervisor, provider: FakeProvider
) -> None:
    there.malform("broken-box")
    for listing in (await provider.list_templates(), await provider.list_instances()):
        assert [one.name for one in listing.rejected] == ["broken-box"]
    assert (await provider.list_templates()).items


async def test_its_room_is_limited(provider: FakeProvider, there: FakeHypervisor) -> None:
    there.capacity = 1
    await start(provider, make_order())
    with pytest.raises(NoCapacity):
        await start(provider, make_order())


async def test_a_classic_machine_is_reset_in_its_place(there: FakeHypervisor, provider: FakeProvider) -> None:
    there.templates["old"] = FakeTemplate("old", {"chatsubo.flags.user.value": "FLAG{x}"}, {})
    before = there.plant("old", "wz01")
    before.disk["mess"] = "made"
    after = await provider.reset("wz01", "old")
    assert (after.address, after.session, after.generation) == (before.address, None, 0)
    assert not there.machines["classic:old@wz01"].disk
    with pytest.raises(InstanceNotFound):
        await provider.reset("another", "old")


async def test_one_that_is_not_dynamic_starts_nothing(there: FakeHypervisor) -> None:
    there.is_dynamic = False
    provider = FakeProvider(hypervisor=there)
    assert not (await provider.check()).is_dynamic
    with pytest.raises(Misconfigured):
        await start(provider, make_order())


async def test_calls_are_recorded_without_values(there: FakeHypervisor, provider: FakeProvider) -> None:
    order = make_order()
    await start(provider, order)
    await provider.stop_dynamic_instance(order.id)
    assert [call.method for call in there.calls] == ["start", "stop"]
    assert there.called("start")[0].arguments["generation"] == 1
    assert order.values["FLAG0"] not in repr(there.calls)


async def test_faults_happen_as_often_as_told(there: FakeHypervisor, provider: FakeProvider) -> None:
    there.fail("stop", Locked("a backup runs"), times=2)
    for _ in range(2):
        with pytest.raises(Locked):
            await provider.stop_dynamic_instance("any")
    await provider.stop_dynamic_instance("any")


def test_a_step_that_does_not_exist_is_told(there: FakeHypervisor) -> None:
    with pytest.raises(ValueError, match="start:boot"):
        there.fail("boot")
    assert "start:boot" in STEPS


def test_it_is_made_from_a_configuration(tmp_path) -> None:
    file = tmp_path / "chatsubo.yml"
    file.write_text("providers: {fake: {one: {realms: [wz01], flag_prefix: WZ, max_concurrent_starts: 2}}}")
    [entry] = load(file, {"fake": FakeConfig}, environ={}).providers
    assert isinstance(entry.model, FakeConfig)
    provider = FakeProvider.from_config(entry.name, entry.model, ())
    assert (provider.name, provider.flag_prefix, provider.max_concurrent_starts) == ("one", "WZ", 2)
    assert provider.list_realms() == ["wz01"]
