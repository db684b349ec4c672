"""What time brings."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from chatsubo.domain.errors import Busy, ExtensionsUsedUp
from chatsubo.domain.event import Window
from chatsubo.domain.sessions import State
from chatsubo.lab.intents import extend
from chatsubo.lab.sweep import EXPIRED, Sweep
from chatsubo.live.bus import EVERYONE, Event
from chatsubo.live.news import News
from chatsubo.store.database import Database
from chatsubo.store.event_window import write_window
from chatsubo.store.tables import accounts, logins, rate_limits
from chatsubo.testing import MemoryJobs
from tests.lab.world import QUICK, World


class Steady:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def steady() -> Steady:
    """The monotonic clock."""
    return Steady()


@pytest.fixture
def sweep(world: World, steady: Steady) -> Sweep:
    """A sweep of its own beside the lab's, with clocks that are set by hand."""
    return Sweep(
        db=world.db,
        jobs=MemoryJobs(),
        news=News(world.bus),
        clock=world.clock,
        pace=QUICK,
        wake=world.lab.wake,
        monotonic=steady,
    )


@pytest.fixture
async def world(embedded: Database) -> AsyncIterator[World]:
    """A world whose lab does not sweep by itself."""
    world = World(embedded)
    await world.lab.start()
    world.lab._tasks[1].cancel()
    yield world
    await world.lab.aclose()


def pass_time(world: World, steady: Steady, seconds: float) -> None:
    """Let both clocks go on."""
    world.clock.advance(seconds=seconds)
    steady.now += seconds


async def test_a_session_ends_when_its_time_is_up(world: World, sweep: Sweep, steady: Steady) -> None:
    session = await world.run()
    pass_time(world, steady, 59 * 60)
    await sweep.look()
    assert (await world.session(session.id)).state is State.RUNNING

    gate = world.hypervisor.hold("stop")
    pass_time(world, steady, 60)
    await sweep.look()
    await gate.reached()
    shown = await world.session(session.id)
    gate.open()
    await world.reaches(session.id, State.STOPPED)

    assert (shown.state, str(shown.stage)) == (State.STOPPING, EXPIRED)
    assert world.hypervisor.machines == {}


async def test_an_extension_gives_more_time_as_often_as_it_may(world: World, sweep: Sweep, steady: Steady) -> None:
    session = await world.run()
    assert session.expires_at is not None
    async with world.db.write() as tx:
        ends = await extend(tx, session.id, minutes=30, limit=1, now=world.clock())
    assert ends == session.expires_at + timedelta(minutes=30)

    with pytest.raises(ExtensionsUsedUp):
        async with world.db.write() as tx:
            await extend(tx, session.id, minutes=30, limit=1, now=world.clock())
    pass_time(world, steady, 75 * 60)
    await sweep.look()
    assert (await world.session(session.id)).state is State.RUNNING
    pass_time(world, steady, 15 * 60)
    with pytest.raises(Busy):
        async with world.db.write() as tx:
            await extend(tx, session.id, minutes=30, limit=5, now=world.clock())


@pytest.mark.parametrize("jump", [timedelta(hours=5), timedelta(hours=-5)])
async def test_a_clock_that_jumps_leaves_players_the_time_they_had(
    world: World, sweep: Sweep, steady: Steady, jump: timedelta
) -> None:
    session = await world.run()
    assert session.expires_at is not None
    pass_time(world, steady, 10)
    await sweep.look()
    world.clock.now += jump
    pass_time(world, steady, 1)

    await sweep.look()

    moved = await world.session(session.id)
    assert (moved.state, moved.expires_at) == (State.RUNNING, session.expires_at + jump)


async def test_a_session_that_was_timed_by_the_new_clock_is_not_moved(
    world: World, sweep: Sweep, steady: Steady
) -> None:
    await world.run()
    world.clock.advance(hours=5)
    later = await world.run(account=2)

    await sweep.look()

    assert (await world.session(later.id)).expires_at == later.expires_at


async def test_a_clock_that_is_adjusted_a_little_is_no_jump(world: World, sweep: Sweep, steady: Steady) -> None:
    session = await world.run()
    world.clock.advance(seconds=20)
    pass_time(world, steady, 1)

    await sweep.look()

    assert (await world.session(session.id)).expires_at == session.expires_at


async def test_expired_logins_and_limits_are_removed(world: World, sweep: Sweep) -> None:
    past, future = world.clock() - timedelta(seconds=1), world.clock() + timedelta(seconds=1)
    started = datetime(2026, 11, 1, tzinfo=UTC)
    async with world.db.write() as tx:
        for name, expires_at in (("old", past), ("new", future)):
            login = {"digest": name, "account_id": 1, "created_at": started, "seen_at": started, "address": ""}
            await tx.execute(insert(logins).values(**login, browser="", expires_at=expires_at))
            await tx.execute(insert(rate_limits).values(key=name, window=1, count=1, expires_at=expires_at))

    await sweep.look()

    async with world.db.read() as tx:
        assert (await tx.execute(select(logins.c.digest))).scalars().all() == ["new"]
        assert (await tx.execute(select(rate_limits.c.key))).scalars().all() == ["new"]


async def test_what_players_have_running_is_stopped_when_the_event_ends_and_organisers_go_on(
    world: World, sweep: Sweep, steady: Steady
) -> None:
    async with world.db.write() as tx:
        await write_window(tx, Window(world.clock() - timedelta(hours=1), world.clock() + timedelta(minutes=5)))
        await tx.execute(update(accounts).where(accounts.c.id == 2).values(role="admin"))
    player, organiser = await world.run(account=1), await world.run(account=2)
    await sweep.look()
    assert (await world.session(player.id)).state is State.RUNNING

    pass_time(world, steady, 300)
    with world.bus.subscribe([EVERYONE]) as news:
        await sweep.look()
        assert await news.next(0) == Event("boxes")
        await sweep.look()
        with pytest.raises(TimeoutError):
            await news.next(0)

    await world.reaches(player.id, State.STOPPED)
    assert (await world.session(organiser.id)).state is State.RUNNING


async def test_a_start_that_is_under_way_is_stopped_when_the_event_ends(world: World, sweep: Sweep) -> None:
    gate = world.hypervisor.hold("start:boot")
    starting = await world.open(1, 1)
    await gate.reached()
    async with world.db.write() as tx:
        await write_window(tx, Window(closes_at=world.clock()))

    await sweep.look()
    gate.open()

    await world.reaches(starting, State.STOPPED)
    assert world.hypervisor.machines == {}
