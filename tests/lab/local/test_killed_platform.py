"""A platform that is killed at any point leaves nothing that the next one does not see to."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from chatsubo.providers.base import StartOrder
from chatsubo.providers.local import LocalProvider
from chatsubo.testing import again, make_order
from tests.lab.local.looking import ask, files_below, processes_below
from tests.lab.local.victim import POINTS

ENDS = ("after it is forgotten", "after its folder was moved")
STARTS = tuple(point for point in POINTS if point not in ENDS)

Kill = Callable[..., Awaitable[None]]


@pytest.fixture
def kill_platform(data: Path, templates: Path, sandbox: str) -> Kill:
    """Lets another platform do something, and kills it at a point, or when it is done."""

    async def kill(verb: str, order: StartOrder, point: str = "") -> None:
        task = {
            "data": str(data),
            "templates": str(templates),
            "sandbox": sandbox,
            "session": order.id,
            "values": dict(order.values),
            "generation": order.generation,
            "verb": verb,
            "point": point,
        }
        platform = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.lab.local.victim", json.dumps(task), stdout=asyncio.subprocess.PIPE
        )
        assert platform.stdout
        try:
            said = await asyncio.wait_for(platform.stdout.readline(), 120)
            assert said.decode().strip() == ("reached" if point else "done")
        finally:
            platform.kill()
            await platform.wait()

    return kill


async def test_what_runs_outlives_the_platform_and_is_adopted(
    kill_platform: Kill, provider: LocalProvider, data: Path
) -> None:
    order = make_order()
    await kill_platform("start", order)
    [found] = (await provider.list_instances()).items
    assert found.running
    assert await asyncio.to_thread(ask, found, "cat flags/user.txt") == order.values["FLAG0"]
    processes = processes_below(data)
    adopted = await provider.start_dynamic_instance("wz01", "hello", order.id, again(order))
    assert adopted.id == found.id
    assert processes_below(data) == processes
    await provider.stop_dynamic_instance(order.id)
    assert not processes_below(data)


@pytest.mark.parametrize("point", STARTS)
async def test_a_start_cut_off_at_any_point_is_made_good_by_the_next_one(
    kill_platform: Kill, provider: LocalProvider, data: Path, point: str
) -> None:
    order = make_order()
    await kill_platform("start", order, point)
    instance = await provider.start_dynamic_instance("wz01", "hello", order.id, again(order))
    assert await asyncio.to_thread(ask, instance, "cat flags/user.txt") == order.values["FLAG0"]
    [listed] = (await provider.list_instances()).items
    assert listed.id == instance.id
    assert len([line for line in processes_below(data) if "keeper.py" in line]) == 1
    assert len(list((data / "runs").iterdir())) == 1
    await provider.stop_dynamic_instance(order.id)
    assert not processes_below(data)
    assert not files_below(data)


@pytest.mark.parametrize("point", STARTS)
async def test_a_start_cut_off_at_any_point_is_removed_by_a_stop(
    kill_platform: Kill, provider: LocalProvider, data: Path, point: str
) -> None:
    order = make_order()
    await kill_platform("start", order, point)
    await provider.stop_dynamic_instance(order.id)
    assert not (await provider.list_instances()).items
    assert not processes_below(data)
    assert not files_below(data)


@pytest.mark.parametrize("point", ["after the record", "after the folder", "after the processes"])
async def test_a_reset_cut_off_is_made_good_at_the_same_address(
    kill_platform: Kill, provider: LocalProvider, data: Path, point: str
) -> None:
    order = make_order()
    before = await provider.start_dynamic_instance("wz01", "hello", order.id, order)
    await asyncio.to_thread(ask, before, "echo yes > spoiled")
    await kill_platform("reset", again(order, 2), point)
    after = await provider.reset("wz01", "hello", again(order, 2))
    assert (after.address, after.endpoints, after.generation) == (before.address, before.endpoints, 2)
    assert "No such file" in await asyncio.to_thread(ask, after, "cat spoiled")
    assert len([line for line in processes_below(data) if "keeper.py" in line]) == 1
    await provider.stop_dynamic_instance(order.id)


@pytest.mark.parametrize("point", ENDS)
async def test_a_stop_cut_off_is_finished_by_the_next_listing(
    kill_platform: Kill, provider: LocalProvider, data: Path, point: str
) -> None:
    order = make_order()
    await provider.start_dynamic_instance("wz01", "hello", order.id, order)
    await kill_platform("stop", order, point)
    assert processes_below(data)
    assert not (await provider.list_instances()).items
    assert not processes_below(data)
    assert not files_below(data)
