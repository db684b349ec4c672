"""Machines that all players share."""

import asyncio
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from chatsubo.domain.errors import Forbidden, NothingRunning, StorageFull
from chatsubo.game import Game
from chatsubo.live.bus import EVERYONE, account_topic
from chatsubo.providers.exc import BackendConnectionException
from tests.game.world import World


class Resets:
    """What was reset; it takes until it is let go, and fails if told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.go_on = asyncio.Event()
        self.fails = False

    async def __call__(self, *machine: str) -> None:
        self.asked.append(machine)  # type: ignore[arg-type]
        await self.go_on.wait()
        if self.fails:
            raise BackendConnectionException("docker/lab", "connection refused")


@pytest.fixture
async def resets(world: World) -> Resets:
    resets = Resets()
    await world.game.aclose()
    world.game = Game.build(world.db, world.bus, clock=world.clock, reset_shared=resets)
    return resets


async def test_an_organiser_resets_a_shared_machine_once_at_a_time_and_everyone_is_told(
    world: World, resets: Resets
) -> None:
    admin = await world.admin()
    slug = await world.release(admin, "shared")
    case = await world.player("case")
    with world.bus.subscribe([EVERYONE]) as news:
        await world.game.shared.reset(admin, slug)
        await world.game.shared.reset(admin, slug)
        resets.go_on.set()
        event = await news.next(within=60)
    assert event is not None
    assert event.name == "notice"
    assert resets.asked == [("lab", "wz01", "shared")]
    (notice,) = await world.game.notices.recent(case)
    assert str(notice.text) == "shared was brought back to its initial state."


async def test_a_reset_that_failed_is_told_to_who_asked_for_it_with_the_reason(world: World, resets: Resets) -> None:
    admin = await world.admin()
    slug = await world.release(admin, "shared")
    resets.fails = True
    resets.go_on.set()
    with world.bus.subscribe([account_topic(admin.account_id)]) as news:
        await world.game.shared.reset(admin, slug)
        await news.next(within=60)
    (notice,) = await world.game.notices.recent(admin)
    assert str(notice.text) == (
        "shared could not be brought back to its initial state: The machine's host does not answer at the moment."
    )
    assert await world.game.notices.recent(await world.player("case")) == []


async def test_players_do_not_reset_and_a_box_without_shared_machine_is_not_reset(world: World, resets: Resets) -> None:
    admin = await world.admin()
    shared, dynamic = await world.release(admin, "shared"), await world.release(admin, "hello")
    with pytest.raises(Forbidden):
        await world.game.shared.reset(await world.player("case"), shared)
    with pytest.raises(NothingRunning):
        await world.game.shared.reset(admin, dynamic)
    assert resets.asked == []


async def test_a_reset_that_cannot_be_told_of_is_over_and_in_the_log(
    world: World, resets: Resets, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.admin()
    slug = await world.release(admin, "shared")
    await world.game.shared.reset(admin, slug)
    (task,) = world.game.shared._under_way.values()

    def full() -> NoReturn:
        raise StorageFull

    monkeypatch.setattr(world.db, "write", full)
    with capture_logs() as log:
        resets.go_on.set()
        await task
    assert [line["event"] for line in log] == ["shared.untold"]
    assert world.game.shared._under_way == {}
