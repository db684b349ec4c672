"""Shared machines: reset when it is due, once, whatever happens to the process."""

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.errors import StorageFull
from chatsubo.domain.text import Text
from chatsubo.live.bus import EVERYONE
from chatsubo.providers.exc import BackendConnectionException, Locked, Misconfigured, ProviderError
from chatsubo.store.shared_resets import ResetState, SharedReset, begin_reset, due_resets, insert_reset, live_resets
from chatsubo.store.tables import boxes, notices, shared_resets
from chatsubo.testing import FakeHypervisor, FakeTemplate
from tests.lab.world import WITHIN, World


def classic(hypervisor: FakeHypervisor, name: str = "vault") -> None:
    hypervisor.templates[name] = FakeTemplate(name)
    hypervisor.plant(name, "wz01")


async def announce(world: World, *, minutes: float = 0, released: bool = True, **changes: Any) -> int:
    """Announce a reset of the shared machine of box 1."""
    now = world.clock()
    values = {"box_id": 1, "provider": "fake", "realm": "wz01", "template": "vault", "asked_by": 1, "asked_at": now}
    async with world.db.write() as tx:
        if released:
            await tx.execute(update(boxes).values(released_at=now))
        return await insert_reset(tx, **(values | {"due_at": now + timedelta(minutes=minutes)} | changes))


async def state_of(world: World, reset_id: int) -> tuple[Any, ...]:
    async with world.db.read() as tx:
        table = shared_resets.c
        query = select(table.state, table.failure, table.failure_detail, table.ended_at).where(table.id == reset_id)
        return tuple((await tx.execute(query)).one())


async def ended(world: World, reset_id: int) -> tuple[Any, ...]:
    """Wait for the end of a reset, of which everyone is told."""
    with world.bus.subscribe([EVERYONE]) as news:
        while (state := await state_of(world, reset_id))[3] is None:
            await news.next(WITHIN)
    return state


async def told(world: World) -> list[tuple[int | None, str, str]]:
    async with world.db.read() as tx:
        rows = await tx.execute(select(notices.c.account_id, notices.c.kind, notices.c.text).order_by(notices.c.id))
        return [(row.account_id, row.kind, str(Text.from_json(row.text))) for row in rows]


def resets(world: World) -> int:
    return len(world.hypervisor.called("reset"))


async def test_a_reset_is_carried_out_when_it_is_due_and_everyone_is_told(world: World) -> None:
    classic(world.hypervisor)
    reset_id = await announce(world, minutes=5)
    world.lab.wake()
    await world.looked_at()
    assert (await state_of(world, reset_id))[0] == ResetState.ANNOUNCED
    assert resets(world) == 0
    world.clock.advance(minutes=5)
    world.lab.wake()
    assert (await ended(world, reset_id))[0] == ResetState.DONE
    assert resets(world) == 1
    assert await told(world) == [(None, "info", "hello in wz01 was brought back to its initial state.")]


async def test_while_it_goes_on_its_stage_is_shown(world: World) -> None:
    classic(world.hypervisor)
    latch = world.hypervisor.hold("reset")
    await announce(world)
    world.lab.wake()
    with world.bus.subscribe([EVERYONE]) as news:
        while not (reset := await _live(world)).stage:
            await news.next(WITHIN)
    assert reset.state is ResetState.RESETTING
    assert str(reset.stage) == "Bringing the machine back to its initial state"
    latch.open()


async def test_a_hypervisor_that_is_away_for_a_moment_is_asked_again(world: World) -> None:
    classic(world.hypervisor)
    world.hypervisor.fail("reset", BackendConnectionException("fake", "away"), times=1)
    reset_id = await announce(world)
    world.lab.wake()
    assert (await ended(world, reset_id))[0] == ResetState.DONE
    assert resets(world) == 2


@pytest.mark.parametrize(
    ("error", "tries", "reason"),
    [
        (Misconfigured("no snapshot"), 1, "The machine's host is not set up for this. Tell an organiser."),
        (Locked("backup"), 3, "The machine is in use by another task of its host. Try again in a minute."),
    ],
)
async def test_a_reset_that_fails_is_told_with_its_reason(
    world: World, error: ProviderError, tries: int, reason: str
) -> None:
    classic(world.hypervisor)
    world.hypervisor.fail("reset", error)
    reset_id = await announce(world)
    world.lab.wake()
    state, failure, detail, _ = await ended(world, reset_id)
    assert (state, str(Text.from_json(failure)), detail) == (ResetState.FAILED, reason, str(error))
    assert resets(world) == tries
    assert await told(world) == [
        (None, "bad", f"hello in wz01 could not be brought back to its initial state: {reason}")
    ]


async def test_of_a_box_that_players_do_not_see_who_asked_is_told_alone(world: World) -> None:
    classic(world.hypervisor)
    reset_id = await announce(world, released=False)
    world.lab.wake()
    await ended(world, reset_id)
    assert [account for account, _, _ in await told(world)] == [1]


async def test_a_box_that_is_retired_during_its_reset_is_told_of_to_who_asked_alone(world: World) -> None:
    classic(world.hypervisor)
    latch = world.hypervisor.hold("reset")
    reset_id = await announce(world)
    world.lab.wake()
    await latch.reached()
    async with world.db.write() as tx:
        await tx.execute(update(boxes).values(retired_at=world.clock(), name="Vault"))
    latch.open()
    await ended(world, reset_id)
    assert await told(world) == [(1, "info", "Vault in wz01 was brought back to its initial state.")]


async def test_a_provider_that_is_not_configured_any_more_fails_the_reset(world: World) -> None:
    reset_id = await announce(world, provider="gone")
    world.lab.wake()
    assert (await ended(world, reset_id))[0] == ResetState.FAILED


async def test_what_a_killed_process_left_under_way_is_done_by_the_next(idle: World) -> None:
    classic(idle.hypervisor)
    reset_id = await announce(idle)
    async with idle.db.write() as tx:
        await tx.execute(update(shared_resets).values(state=ResetState.RESETTING))
    await idle.lab.start()
    assert (await ended(idle, reset_id))[0] == ResetState.DONE
    assert len(await told(idle)) == 1


async def test_an_end_of_the_server_in_the_middle_is_taken_up_by_the_next(idle: World) -> None:
    classic(idle.hypervisor)
    latch = idle.hypervisor.hold("reset", times=1)
    reset_id = await announce(idle)
    await idle.lab.start()
    await latch.reached()
    await idle.lab.aclose()
    assert (await state_of(idle, reset_id))[0] == ResetState.RESETTING
    assert await told(idle) == []
    idle.equip(idle.providers)
    await idle.lab.start()
    assert (await ended(idle, reset_id))[0] == ResetState.DONE


async def test_one_that_was_called_off_meanwhile_is_not_carried_out(idle: World) -> None:
    classic(idle.hypervisor)
    reset_id = await announce(idle)
    async with idle.db.write() as tx:
        (due,) = await due_resets(tx, idle.clock())
        await tx.execute(update(shared_resets).values(state=ResetState.CANCELLED))
    assert due.id == reset_id
    await idle.lab.start()
    await idle.looked_at()
    assert resets(idle) == 0


async def test_a_reset_that_cannot_be_begun_is_taken_up_again_without_haste(
    idle: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    classic(idle.hypervisor)
    tries: list[float] = []

    async def full(tx: AsyncConnection, reset_id: int) -> bool:
        tries.append(time.monotonic())
        if len(tries) < 4:
            raise StorageFull
        return await begin_reset(tx, reset_id)

    monkeypatch.setattr("chatsubo.lab.shared.begin_reset", full)
    idle.pace = replace(idle.pace, sweep=0.3)
    idle.equip(idle.providers)
    reset_id = await announce(idle)
    await idle.lab.start()
    assert (await ended(idle, reset_id))[0] == ResetState.DONE
    assert tries[3] - tries[0] >= 3 * idle.pace.sweep


async def test_a_reason_with_values_that_cannot_be_kept_ends_a_reset_all_the_same(world: World) -> None:
    classic(world.hypervisor)
    world.hypervisor.fail("reset", Misconfigured("no snapshot", where=Path("/pool"), size=3))
    reset_id = await announce(world)
    world.lab.wake()
    _, failure, _, _ = await ended(world, reset_id)
    assert failure["params"] == {"where": "/pool", "size": 3}
    assert resets(world) == 1


async def test_resets_of_one_provider_take_turns(world: World) -> None:
    latch = world.hypervisor.hold("reset")
    ids = []
    for number in range(world.places + 1):
        classic(world.hypervisor, f"vault{number}")
        ids.append(await announce(world, template=f"vault{number}"))
    world.lab.wake()
    await world.looked_at()
    await world.looked_at()
    assert resets(world) == world.places
    latch.open()
    for reset_id in ids:
        assert (await ended(world, reset_id))[0] == ResetState.DONE


async def _live(world: World) -> SharedReset:
    async with world.db.read() as tx:
        (reset,) = await live_resets(tx, "vault")
    return reset
