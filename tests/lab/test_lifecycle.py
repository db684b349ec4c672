"""The life of a session, and what becomes of it when the hypervisor misbehaves."""

import asyncio
from collections.abc import AsyncIterator
from itertools import groupby

import pytest

from chatsubo.domain.errors import AlreadyRunning, Busy
from chatsubo.domain.flags import digest
from chatsubo.domain.sessions import State, Verb
from chatsubo.lab.lifecycle import RESET_FAILED
from chatsubo.live.bus import account_topic
from chatsubo.providers.exc import (
    AccessRefused,
    BackendConnectionException,
    BuildFailed,
    Locked,
    NoCapacity,
    NotReady,
    ProviderError,
    TemplateNotFound,
)
from chatsubo.store.database import Database
from chatsubo.store.sessions import given_values, owner_of_value, read_log, read_values
from tests.lab.world import WITHIN, World, furnish


@pytest.fixture
async def anywhere(db: Database) -> AsyncIterator[World]:
    """A world on SQLite and on PostgreSQL in turn."""
    await furnish(db)
    world = World(db)
    await world.lab.start()
    yield world
    await world.lab.aclose()


async def test_a_session_runs_with_what_its_machine_really_has(anywhere: World) -> None:
    session = await anywhere.run()

    machine = anywhere.hypervisor.machines[session.id]
    assert (session.address, session.readiness) == (machine.address, "healthy")
    assert [(one.name, one.host, one.port) for one in session.endpoints] == [("ssh", machine.address, 22)]
    assert [(one.type, one.username, one.password) for one in session.creds] == [
        ("ssh", "level0", machine.values["RNG0"])
    ]
    assert session.ready_at == anywhere.clock()
    assert (session.expires_at - session.ready_at).total_seconds() == session.duration * 60  # type: ignore[operator]
    async with anywhere.db.read() as tx:
        given = await given_values(tx, 1, anywhere.clock())
        assert sorted((one.name, one.value) for one in given) == [
            ("root", machine.values["FLAG1"]),
            ("user", machine.values["FLAG0"]),
        ]
        assert await owner_of_value(tx, digest(machine.values["FLAG1"]), excluding=2) == 1
        assert await owner_of_value(tx, digest(machine.values["FLAG1"]), excluding=1) is None
        assert "boots" in await read_log(tx, session.id)


async def test_a_stopped_session_leaves_nothing(anywhere: World) -> None:
    session = await anywhere.run()

    await anywhere.stop(session.id)
    ended = await anywhere.reaches(session.id, State.STOPPED)

    assert anywhere.hypervisor.machines == {}
    assert ended.ended_at == anywhere.clock()
    async with anywhere.db.read() as tx:
        assert await read_values(tx, session.id) == {"SESSION": session.id}


async def test_a_reset_makes_the_machine_anew_with_the_same_values_and_the_same_time_left(anywhere: World) -> None:
    session = await anywhere.run()
    first = anywhere.hypervisor.machines[session.id]
    first.disk["/tmp/mine"] = "kept?"
    anywhere.clock.advance(seconds=20)

    await anywhere.reset(session.id)
    again = await anywhere.reaches(session.id, State.RUNNING)

    second = anywhere.hypervisor.machines[session.id]
    assert second.id != first.id
    assert second.disk == {}
    assert (second.values, second.address) == (first.values, first.address)
    assert (again.expires_at, again.ready_at) == (session.expires_at, session.ready_at)


async def test_a_box_runs_once_per_player(anywhere: World) -> None:
    await anywhere.run()

    with pytest.raises(AlreadyRunning):
        await anywhere.open()
    await anywhere.run(account=2)
    await anywhere.run(box=2)


async def test_two_starts_at_once_make_one_session(anywhere: World) -> None:
    results = await asyncio.gather(*(anywhere.open() for _ in range(10)), return_exceptions=True)

    assert sum(isinstance(one, AlreadyRunning) for one in results) == 9
    [session_id] = [one for one in results if isinstance(one, str)]
    await anywhere.reaches(session_id, State.RUNNING)
    assert list(anywhere.hypervisor.machines) == [session_id]


async def test_the_player_is_told_of_every_change_and_no_secret_is_in_it(world: World) -> None:
    with world.bus.subscribe([account_topic(1)]) as news:
        session = await world.run()
        await world.stop(session.id)
        await world.reaches(session.id, State.STOPPED)
        states: list[str] = []
        while not states or states[-1] != "stopped":
            event = await news.next(WITHIN)
            assert event is not None
            assert event.name == "session"
            assert set(event.data) == {"session", "box", "state"}
            states.append(event.data["state"])

    assert [state for state, _ in groupby(states)] == ["provisioning", "running", "stopped"]


async def test_stages_are_shown_while_a_machine_is_made(world: World) -> None:
    gate = world.hypervisor.hold("start:boot")
    session_id = await world.open()

    shown = await world.until(session_id, lambda one: str(one.stage) == "Starting the machine" and one.verb is not None)
    await world.until(session_id, lambda one: one.started_at is not None)
    gate.open()
    ready = await world.reaches(session_id, State.RUNNING)

    assert shown.state is State.PROVISIONING
    assert ready.stage is None


async def test_a_stop_while_it_waits_ends_it_at_once(idle: World) -> None:
    session_id = await idle.ask()

    await idle.stop(session_id)

    assert (await idle.session(session_id)).state is State.STOPPED
    await idle.lab.start()
    await idle.run(account=2)
    assert session_id not in idle.hypervisor.machines


@pytest.mark.parametrize("step", ["start:create", "start:boot", "start:ready"])
async def test_a_stop_during_a_start_calls_it_off(world: World, step: str) -> None:
    gate = world.hypervisor.hold(step)
    session_id = await world.open()
    await gate.reached()

    await world.stop(session_id)
    await world.reaches(session_id, State.STOPPED)

    assert world.hypervisor.machines == {}
    gate.open()
    await world.run()


async def test_a_stop_during_a_reset_removes_the_machine(world: World) -> None:
    session = await world.run()
    gate = world.hypervisor.hold("reset")
    await world.reset(session.id)
    await gate.reached()

    await world.stop(session.id)
    await world.reaches(session.id, State.STOPPED)

    assert world.hypervisor.machines == {}


async def test_only_what_fits_the_state_can_be_asked(world: World) -> None:
    gate = world.hypervisor.hold("start:boot")
    session_id = await world.open()
    await gate.reached()

    with pytest.raises(Busy):
        await world.reset(session_id)
    gate.open()
    await world.reaches(session_id, State.RUNNING)
    await world.stop(session_id)
    await world.reaches(session_id, State.STOPPED)
    with pytest.raises(Busy):
        await world.stop(session_id)


@pytest.mark.parametrize("step", ["start:create", "start:boot", "start:ready"])
@pytest.mark.parametrize("error", [BuildFailed, NotReady, AccessRefused, TemplateNotFound, ProviderError])
async def test_a_start_that_cannot_work_fails_at_once_with_its_reason(
    world: World, step: str, error: type[ProviderError]
) -> None:
    world.hypervisor.fail(step, error("the reason"))

    failed = await world.reaches(await world.open(), State.FAILED)

    assert str(failed.failure) == error.message
    assert failed.failure_detail == "the reason"
    assert len(world.hypervisor.called("start")) == 1
    assert world.hypervisor.machines == {}


@pytest.mark.parametrize("error", [BackendConnectionException("fake", "reset by peer"), Locked(), NoCapacity()])
async def test_a_start_is_tried_again_when_that_may_help(world: World, error: ProviderError) -> None:
    world.hypervisor.fail("start:boot", error, times=2)

    session = await world.run()

    assert len(world.hypervisor.called("start")) == 3
    assert world.hypervisor.machines[session.id].ready


async def test_a_start_is_not_tried_for_ever(world: World) -> None:
    world.hypervisor.fail("start:create", NoCapacity("full"))

    failed = await world.reaches(await world.open(), State.FAILED)

    assert len(world.hypervisor.called("start")) == world.pace.tries
    assert str(failed.failure) == NoCapacity.message


async def test_what_a_bad_plugin_leaves_of_a_failed_start_is_removed(world: World) -> None:
    world.hypervisor.leaves_half_made = True
    world.hypervisor.fail("start:ready", NotReady())
    world.hypervisor.fail("stop", BackendConnectionException("fake", "gone"), times=7)

    failed = await world.reaches(await world.open(), State.FAILED)

    assert str(failed.failure) == NotReady.message
    assert world.hypervisor.machines == {}


async def test_a_player_whose_start_failed_may_start_again_at_once(world: World) -> None:
    world.hypervisor.fail("start:boot", NotReady(), times=1)
    world.hypervisor.hang("stop")
    await world.until(await world.open(), lambda one: one.state is State.FAILED)

    await world.run()


async def test_a_start_that_hangs_fails_at_its_deadline(embedded: Database) -> None:
    world = World(embedded, start_timeout=0.05)
    world.hypervisor.hang("start:ready")
    await world.lab.start()

    failed = await world.reaches(await world.open(), State.FAILED)

    assert failed.failure is not None
    assert "too long" in str(failed.failure)
    assert world.hypervisor.machines == {}
    await world.lab.aclose()


async def test_a_stop_is_tried_until_it_works(world: World) -> None:
    session = await world.run()
    world.hypervisor.fail("stop", BackendConnectionException("fake", "gone"), times=3 * world.pace.tries)
    last = world.hypervisor.hold("stop")

    await world.stop(session.id)
    await last.reached()
    shown = await world.session(session.id)
    last.open()
    await world.reaches(session.id, State.STOPPED)

    assert (shown.state, str(shown.stage)) == (State.STOPPING, BackendConnectionException.message)
    assert world.hypervisor.machines == {}


async def test_a_stop_that_is_refused_frees_the_player_and_is_tried_on(world: World) -> None:
    session = await world.run()
    world.hypervisor.fail("stop", AccessRefused("the token is read-only"))

    await world.stop(session.id)
    failed = await world.until(session.id, lambda one: one.state is State.FAILED)

    assert failed.verb is Verb.STOP
    assert str(failed.failure) == AccessRefused.message
    await world.run()
    world.hypervisor.faults.clear()
    await world.reaches(session.id, State.FAILED)
    assert session.id not in world.hypervisor.machines


async def test_a_failed_reset_keeps_the_machine_and_says_so(world: World) -> None:
    session = await world.run()
    machine = world.hypervisor.machines[session.id]
    world.hypervisor.fail("reset", BuildFailed("no space"))

    await world.reset(session.id)
    kept = await world.reaches(session.id, State.RUNNING)

    assert world.hypervisor.machines[session.id] is machine
    assert (str(kept.stage), str(kept.failure)) == (RESET_FAILED, BuildFailed.message)
    assert kept.expires_at == session.expires_at
    world.hypervisor.faults.clear()
    await world.reset(session.id)
    anew = await world.until(session.id, lambda one: one.state is State.RUNNING and one.failure is None)
    assert anew.stage is None


async def test_a_failed_reset_without_a_machine_left_fails_the_session(world: World) -> None:
    session = await world.run()
    gate = world.hypervisor.hold("reset", times=1)
    world.hypervisor.fail("reset", NotReady())
    await world.reset(session.id)
    await gate.reached()
    world.hypervisor.remove(session.id)
    gate.open()

    failed = await world.reaches(session.id, State.FAILED)

    assert str(failed.failure) == NotReady.message


async def test_a_provider_that_is_not_configured_any_more_is_told_and_ends_what_it_had(world: World) -> None:
    failed = await world.reaches(await world.open(provider="removed"), State.FAILED)

    assert "not part of this platform" in str(failed.failure)


async def test_a_plugin_that_raises_anything_fails_the_session_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*args: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(world.providers["fake"], "start_dynamic_instance", broken)

    failed = await world.reaches(await world.open(), State.FAILED)

    assert failed.failure_detail == "KeyError: 'surprise'"


async def test_no_value_of_the_session_gets_into_what_organisers_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def leaks(realm: str, template: str, session_id: str, order: object) -> None:
        flag = order.values["FLAG3"]  # type: ignore[attr-defined]
        order.progress.log(f"RUN echo {flag[:10]}")  # type: ignore[attr-defined]
        order.progress.log(f"{flag[10:]}\x00\x1b[31m done\r\n")  # type: ignore[attr-defined]
        raise BuildFailed(f"could not write {flag}")

    monkeypatch.setattr(world.providers["fake"], "start_dynamic_instance", leaks)

    failed = await world.reaches(await world.open(), State.FAILED)

    assert failed.failure_detail == "could not write [FLAG3]"
    async with world.db.read() as tx:
        assert await read_log(tx, failed.id) == "RUN echo [FLAG3] done\n"
