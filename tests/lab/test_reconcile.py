"""What the database says and what a provider lists, when they differ."""

import pytest

from chatsubo.domain.sessions import State
from chatsubo.lab.reconcile import STOPPED_BY_ITSELF, VANISHED
from chatsubo.providers.exc import BackendConnectionException
from tests.lab.world import World, anything

NEVER_OURS = "0a9b8f5e-0000-4000-8000-000000000001"


async def test_a_machine_that_is_gone_is_told_to_its_player(world: World) -> None:
    session = await world.run()
    world.hypervisor.remove(session.id)

    failed = await world.reaches(session.id, State.FAILED)

    assert str(failed.failure) == VANISHED
    await world.run()


async def test_a_provider_that_does_not_answer_ends_no_session(world: World) -> None:
    session = await world.run()
    world.hypervisor.away()
    world.hypervisor.remove(session.id)
    for _ in range(4):
        await world.looked_at()

    assert (await world.session(session.id)).state is State.RUNNING


@pytest.mark.parametrize("step", ["start:boot", "reset"])
async def test_a_machine_that_is_being_made_is_not_missed(world: World, step: str) -> None:
    gate = world.hypervisor.hold("start:boot")
    session_id = await world.open()
    await gate.reached()
    if step == "reset":
        gate.open()
        await world.reaches(session_id, State.RUNNING)
        gate = world.hypervisor.hold("reset")
        await world.reset(session_id)
        await gate.reached()
    machine = world.hypervisor.machines.pop(session_id)
    for _ in range(4):
        await world.looked_at()
    world.hypervisor.machines[session_id] = machine
    gate.open()

    await world.reaches(session_id, State.RUNNING)


async def test_a_machine_of_an_ended_session_is_removed_after_a_while(world: World) -> None:
    session = await world.run()
    machine = world.hypervisor.machines[session.id]
    await world.stop(session.id)
    await world.reaches(session.id, State.STOPPED)

    gate = world.hypervisor.hold("stop", times=1)
    world.hypervisor.fail("stop", BackendConnectionException("fake", "gone"), times=2)
    world.hypervisor.machines[session.id] = machine  # a worker that was paused made it after all
    await gate.reached()
    assert [one.session for one in (await world.listing(anything)).instances] == [session.id]
    gate.open()
    await world.listing(lambda one: one.instances == ())

    assert world.hypervisor.machines == {}


async def test_many_machines_of_ended_sessions_are_removed_side_by_side_while_the_inventory_looks_on(
    world: World,
) -> None:
    sessions = [await world.run(account) for account in range(1, 7)]
    machines = dict(world.hypervisor.machines)
    for session in sessions:
        await world.stop(session.id)
        await world.reaches(session.id, State.STOPPED)
    stopped = len(world.hypervisor.called("stop"))

    gate = world.hypervisor.hold("stop")
    world.hypervisor.machines.update(machines)  # as a host does that comes back from an old snapshot
    await gate.reached()
    world.hypervisor.plant("hello", "wz01", NEVER_OURS)
    await world.listing(lambda one: len(one.instances) == len(machines) + 1)
    for _ in range(4):
        await world.looked_at()

    assert len(world.hypervisor.called("stop")) - stopped == world.places
    gate.open()
    await world.listing(lambda one: [each.session for each in one.instances] == [NEVER_OURS])


async def test_a_machine_of_a_session_that_was_never_ours_is_shown_and_left_alone(world: World) -> None:
    world.hypervisor.plant("hello", "wz01", NEVER_OURS)

    listing = await world.listing(lambda one: bool(one.rejected))
    for _ in range(4):
        await world.looked_at()

    assert "never had" in str(listing.rejected[0].reason)
    assert NEVER_OURS in world.hypervisor.machines


async def test_an_address_that_changed_is_shown(world: World) -> None:
    session = await world.run()
    world.hypervisor.machines[session.id].address = "10.66.9.9"

    changed = await world.until(session.id, lambda one: one.address == "10.66.9.9")

    assert [one.host for one in changed.endpoints] == ["10.66.9.9"]
    assert [one.address for one in changed.machines] == ["10.66.9.9"]


async def test_a_machine_that_stopped_by_itself_can_be_brought_back(world: World) -> None:
    session = await world.run()
    world.hypervisor.machines[session.id].ready = False

    stopped = await world.until(session.id, lambda one: str(one.stage) == STOPPED_BY_ITSELF)
    world.hypervisor.machines[session.id].ready = True
    await world.until(session.id, lambda one: one.stage is None)

    assert stopped.state is State.RUNNING
