"""An engine that dies in the middle of things, and comes back."""

import asyncio

import pytest

from chatsubo.providers.exc import BackendConnectionException, ProviderError, TimedOut
from tests.real.docker.bench import DOCUMENTED, REALM, SERVES_FLAG, SHARED, Bench, Heard


async def kill(bench: Bench) -> None:
    await asyncio.to_thread(bench.engine.kill)


async def revive(bench: Bench) -> None:
    bench.stop_intercepting()
    await asyncio.to_thread(bench.engine.start)


async def only_one(bench: Bench, session: str) -> bool:
    return len(await asyncio.to_thread(bench.engine.containers, f"chatsubo.session={session}")) == 1


@pytest.mark.parametrize(("number", "after"), [(1, False), (3, True), (4, True), (5, True), (6, True), (7, False)])
async def test_an_engine_killed_during_a_start_is_unreachable_and_the_start_works_once_it_is_back(
    fragile: Bench, number: int, after: bool
):
    fragile.template("box", SHARED + SERVES_FLAG)
    await fragile.provider.stop_dynamic_instance((await fragile.start("box", fragile.order())).session or "")
    order = fragile.order()
    fragile.intercept(number, lambda: kill(fragile), after=after)

    with pytest.raises(BackendConnectionException):
        await fragile.start("box", order)
    await revive(fragile)
    instance = await fragile.start("box", order)

    assert await fragile.read(instance) == order.values["FLAG0"] + "\n"
    assert await only_one(fragile, order.id)
    await fragile.provider.stop_dynamic_instance(order.id)
    assert await fragile.left_of(order.id) == []


async def test_an_engine_killed_during_a_build_is_unreachable_and_the_start_works_once_it_is_back(fragile: Bench):
    fragile.template("box", DOCUMENTED + "RUN echo working; sleep 1\n" + SERVES_FLAG)
    heard = Heard()
    order = fragile.order(progress=heard)
    start = asyncio.ensure_future(fragile.start("box", order))
    await heard.until("working")
    await kill(fragile)

    with pytest.raises(BackendConnectionException):
        await start
    await revive(fragile)
    instance = await fragile.start("box", order)
    assert await fragile.read(instance) == order.values["FLAG0"] + "\n"
    await fragile.provider.stop_dynamic_instance(order.id)
    assert await fragile.left_of(order.id) == []


@pytest.mark.parametrize(("number", "after"), [(2, True), (3, False), (3, True), (4, True), (5, True)])
async def test_an_engine_killed_during_a_reset_loses_neither_address_nor_flags(
    fragile: Bench, number: int, after: bool
):
    fragile.template("box", SHARED + SERVES_FLAG)
    order = fragile.order()
    instance = await fragile.start("box", order)
    again = fragile.again(order, 2)
    fragile.intercept(number, lambda: kill(fragile), after=after)

    with pytest.raises(BackendConnectionException):
        await fragile.provider.reset(REALM, "box", again)
    await revive(fragile)
    back = await fragile.provider.reset(REALM, "box", again)

    assert back.address == instance.address
    assert await fragile.read(back) == order.values["FLAG0"] + "\n"
    assert await only_one(fragile, order.id)


@pytest.mark.parametrize("number", [1, 3])
async def test_an_engine_killed_during_a_stop_is_unreachable_and_the_stop_works_once_it_is_back(
    fragile: Bench, number: int
):
    fragile.template("box", SHARED + SERVES_FLAG)
    order = fragile.order()
    await fragile.start("box", order)
    fragile.intercept(number, lambda: kill(fragile), after=False)

    with pytest.raises(BackendConnectionException):
        await fragile.provider.stop_dynamic_instance(order.id)
    await revive(fragile)
    await fragile.provider.stop_dynamic_instance(order.id)
    assert await fragile.left_of(order.id) == []


async def test_an_engine_that_is_away_is_found_so_and_everything_says_it(fragile: Bench):
    fragile.template("box", SHARED)
    await kill(fragile)

    check = await fragile.provider.check()
    assert not check.reachable
    assert [finding.ok for finding in check.findings] == [False]
    for ask in (fragile.provider.list_templates(), fragile.provider.list_instances()):
        with pytest.raises(BackendConnectionException):
            await ask
    await revive(fragile)
    assert (await fragile.provider.check()).reachable
    assert [one.name for one in (await fragile.provider.list_templates()).items] == ["box"]


async def test_an_engine_that_answers_nothing_runs_into_the_time_limit(fragile: Bench, monkeypatch: pytest.MonkeyPatch):
    fragile.template("box", SHARED)
    assert (await fragile.provider.check()).reachable
    fragile.engine.pause()
    try:
        with monkeypatch.context() as hasty:
            hasty.setattr(fragile.provider._engine, "_timeout", 0.5)
            with pytest.raises((TimedOut, BackendConnectionException)):
                await fragile.provider.list_instances()
    finally:
        fragile.engine.resume()
    assert (await fragile.provider.list_instances()).items == []


async def test_errors_of_an_engine_that_dies_hold_no_secret(fragile: Bench):
    fragile.template("box", DOCUMENTED + SERVES_FLAG)
    order = fragile.order()
    fragile.intercept(3, lambda: kill(fragile), after=False)

    with pytest.raises(ProviderError) as raised:
        await fragile.start("box", order)
    told = f"{raised.value} {raised.value.detail} {raised.value!r}"
    assert not any(value in told for name, value in order.values.items() if name != "SESSION")
    await revive(fragile)
