"""The life of a dynamic instance on a real engine."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from chatsubo.providers.base import BaseInstance
from chatsubo.providers.exc import (
    Cancelled,
    TimedOut,
)
from tests.real.docker.bench import DOCUMENTED, REALM, SERVES_FLAG, SHARED, SLEEPS, Bench, Heard

MEBIBYTE = 1024 * 1024


async def test_a_start_is_idempotent_and_adopts_what_runs(bench: Bench):
    bench.template("shared", SHARED + SERVES_FLAG)
    order = bench.order()
    first, second = await asyncio.gather(bench.start("shared", order), bench.start("shared", order))
    third = await bench.start("shared", order, bench.make(name=bench.name))

    assert first.id == second.id == third.id
    assert len(bench.engine.containers(f"chatsubo.session={order.id}")) == 1


async def test_a_half_made_container_is_made_anew(bench: Bench):
    bench.template("shared", SHARED + SERVES_FLAG)
    order = bench.order()
    instance = await bench.start("shared", order)
    await asyncio.to_thread(bench.engine.docker, "kill", str(instance.id))
    again = await bench.start("shared", order)

    assert again.id != instance.id
    assert await bench.read(again) == order.values["FLAG0"] + "\n"


async def test_a_worker_that_woke_up_late_does_not_undo_a_later_generation(bench: Bench):
    bench.template("shared", SHARED + SERVES_FLAG)
    order = bench.order()
    later = bench.again(order, 5)
    instance = await bench.start("shared", later)

    with pytest.raises(Cancelled):
        await bench.start("shared", order)
    assert await bench.read(instance) == order.values["FLAG0"] + "\n"


@pytest.mark.parametrize("text", [SHARED, DOCUMENTED], ids=["shared", "baked"])
async def test_a_reset_brings_back_the_initial_state_with_flags_and_address(bench: Bench, text: str):
    bench.template("box", text + SERVES_FLAG)
    order = bench.order()
    instance = await bench.start("box", order)
    await bench.shell(instance, "rm /bin/ls; echo owned > /root/flag; echo x > /tmp/new")
    other = await bench.start("box", bench.order())

    again = await bench.provider.reset(REALM, "box", bench.again(order, 2))

    assert again.id != instance.id
    assert again.address == instance.address != other.address
    assert again.generation == 2
    assert [one.value for one in again.flags] == [one.value for one in instance.flags]
    assert await bench.read(again) == order.values["FLAG0"] + "\n"
    assert (await bench.shell(again, "ls /tmp; ls /bin/ls")).split() == ["/bin/ls"]
    assert len(bench.engine.containers(f"chatsubo.session={order.id}")) == 1


async def test_a_reset_of_what_is_gone_makes_it_anew(bench: Bench):
    bench.template("box", SHARED + SERVES_FLAG)
    order = bench.order()
    again = await bench.provider.reset(REALM, "box", bench.again(order, 2))

    assert await bench.read(again) == order.values["FLAG0"] + "\n"


async def test_stopping_what_is_gone_is_a_success(bench: Bench):
    await bench.provider.stop_dynamic_instance(bench.order().id)


async def test_a_deadline_ends_a_start_and_leaves_nothing(bench: Bench):
    bench.template("deaf", SHARED + "LABEL chatsubo.ready=4444\n" + SLEEPS)
    order = bench.order(limit=1.5)

    with pytest.raises(TimedOut):
        await bench.start("deaf", order)
    assert await bench.left_of(order.id) == []


async def test_a_stop_calls_a_start_off(bench: Bench):
    bench.template("deaf", SHARED + "LABEL chatsubo.ready=4444\n" + SLEEPS)
    heard = Heard()
    order = bench.order(progress=heard)
    start = asyncio.ensure_future(bench.start("deaf", order))
    await heard.until("Waiting for port 4444")

    await bench.provider.stop_dynamic_instance(order.id)

    with pytest.raises(Cancelled):
        await start
    assert await bench.left_of(order.id) == []


async def test_a_start_cancelled_at_any_request_leaves_nothing(bench: Bench):
    bench.template("box", SHARED + SERVES_FLAG)
    await bench.provider.stop_dynamic_instance((await bench.start("box", bench.order())).session or "")
    cut = 0
    for number in range(1, 20):
        order = bench.order()
        result = await _cancelled_at(bench, number, bench.start("box", order))
        if not isinstance(result, BaseException):
            break
        cut += 1
        assert isinstance(result, asyncio.CancelledError)
        assert await bench.left_of(order.id) == [], f"cancelled at request {number}"
    assert cut >= 6


async def _cancelled_at(bench: Bench, number: int, start: Coroutine[Any, Any, Any]) -> Any:
    """Return how a start ends that is cancelled at one of its requests: before or after it, in turn."""
    task = asyncio.ensure_future(start)

    async def cancel() -> None:
        task.cancel()
        await asyncio.sleep(0)

    bench.intercept(number, cancel, after=number % 2 == 0)
    results = await asyncio.gather(task, return_exceptions=True)
    bench.stop_intercepting()
    return results[0]


@pytest.mark.parametrize(("number", "after"), [(2, True), (3, True), (4, False), (4, True), (5, False)])
async def test_a_worker_that_was_paused_and_woke_adopts_what_another_made_meanwhile(
    bench: Bench, number: int, after: bool
):
    bench.template("box", SHARED + SERVES_FLAG)
    await bench.provider.stop_dynamic_instance((await bench.start("box", bench.order())).session or "")
    order = bench.order()
    other = bench.make(name=bench.name)
    theirs: list[BaseInstance] = []

    async def take_over() -> None:
        theirs.append(await bench.start("box", order, other))

    bench.intercept(number, take_over, after=after)
    ours = await bench.start("box", order)

    assert theirs
    assert [one["Id"] for one in bench.engine.containers(f"chatsubo.session={order.id}")] == [ours.id]
    assert await bench.read(ours) == order.values["FLAG0"] + "\n"
