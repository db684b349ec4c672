"""Few requests with clones too: they are remembered, and what changes about them shows at once all the same."""

import asyncio
import uuid

import pytest

from chatsubo.providers.pve.clones import description
from chatsubo.testing.orders import again, make_order
from tests.pve.cluster import inventory, start

CLONES = 50
READY = {"state": "ready", "address": "10.66.1.59"}


def plant(pve, vmid, session, generation=1, **labels):
    """Add a clone as another process of the platform makes it."""
    told = {"template": "hello", "session": session, "generation": str(generation), "provider": "cluster", **labels}
    config = {"description": description({f"chatsubo.{key}": value for key, value in told.items()})}
    return pve.add_vm(vmid, f"hello-{session[:8]}-g{generation}", config=config, status="running")


@pytest.fixture
def sessions(lab):
    """All but one of the ids are taken by finished clones."""
    made = [str(uuid.uuid4()) for _ in range(CLONES - 1)]
    for number, session in enumerate(made):
        plant(lab, 9000 + number, session, **READY)
    return made


async def cost(provider):
    """Return how many requests an inventory takes, and the sessions and generations that it shows."""
    before = provider.requests_sent
    _, instances = await inventory(provider)
    return provider.requests_sent - before, {one.session: one.generation for one in instances}


async def test_an_inventory_with_fifty_clones_is_one_request_between_slices(sessions, lab, provider):
    sessions.append(str(uuid.uuid4()))
    plant(lab, 9049, sessions[-1], **READY)
    assert await cost(provider) == (1 + 1 + CLONES, dict.fromkeys(sessions, 1))
    for _ in range(3):
        assert await cost(provider) == (1, dict.fromkeys(sessions, 1))


async def test_a_clone_that_another_process_makes_is_read_until_it_is_finished(sessions, lab, provider):
    await inventory(provider)
    young = str(uuid.uuid4())
    vm = plant(lab, 9049, young)
    for _ in range(2):
        taken, shown = await cost(provider)
        assert (taken, shown[young]) == (2, 1)
    vm.config["description"] += "\nchatsubo.state=ready"
    assert (await cost(provider))[0] == 2
    assert (await cost(provider))[0] == 1


async def test_a_clone_whose_disks_are_still_copied_is_read_until_it_tells_whose_it_is(sessions, lab, provider):
    young = str(uuid.uuid4())
    vm = plant(lab, 9049, young, **READY)
    whole, vm.config = vm.config, {"description": "qmclone temporary file\n", "lock": "clone"}
    assert young not in (await cost(provider))[1]
    assert (await cost(provider))[0] == 2
    vm.config = whole
    assert (await cost(provider))[1][young] == 1


async def test_a_clone_that_another_process_removes_is_gone_at_once(sessions, lab, provider):
    await inventory(provider)
    lab.vms.remove(lab.vm(9000))
    assert await cost(provider) == (1, dict.fromkeys(sessions[1:], 1))


async def test_an_id_that_another_process_uses_again_shows_its_new_session_at_once(sessions, lab, provider):
    await inventory(provider)
    lab.vms.remove(lab.vm(9000))
    heir = str(uuid.uuid4())
    plant(lab, 9000, heir, **READY)
    lab.vms.remove(lab.vm(9001))
    plant(lab, 9001, sessions[1], generation=2, **READY)
    assert await cost(provider) == (3, {**dict.fromkeys(sessions[2:], 1), heir: 1, sessions[1]: 2})
    assert (await cost(provider))[0] == 1


async def test_a_clone_that_the_list_has_no_name_of_yet_is_read_each_time(sessions, lab, provider):
    """What the list remembers under this id may be of the clone before."""
    await inventory(provider)
    lab.lag = 60.0
    assert (await cost(provider))[0] == 1 + len(sessions)
    heir = str(uuid.uuid4())
    lab.vms.remove(lab.vm(9000))
    plant(lab, 9000, heir, **READY)
    assert heir in (await cost(provider))[1]


async def test_what_this_process_does_to_its_clones_shows_at_once(sessions, lab, provider):
    await inventory(provider)
    order = make_order(seconds=20)
    instance = await start(provider, order)
    taken, shown = await cost(provider)
    assert (taken, shown) == (1, {**dict.fromkeys(sessions, 1), order.id: 1})
    [listed] = [one for one in (await provider.list_instances()).items if one.session == order.id]
    assert (listed.id, listed.address) == (instance.id, instance.address)
    await provider.reset("wz01", "hello", again(order, 2))
    assert (await cost(provider))[1][order.id] == 2
    await provider.stop_dynamic_instance(order.id)
    assert await cost(provider) == (1, dict.fromkeys(sessions, 1))


async def test_a_start_among_many_clones_reads_none_of_the_others(sessions, lab, provider):
    await inventory(provider)
    lab.requests.clear()
    await start(provider)
    others = [f"/qemu/{9000 + number}/config" for number in range(len(sessions))]
    assert not [path for _, path, _ in lab.requests if path.endswith(tuple(others))]


async def test_what_was_read_while_it_was_changed_is_read_again(sessions, lab, provider):
    """The listing that follows the change shows it, though an older look comes to its end only then."""
    guests, asked, told = provider._cluster.guests, asyncio.Event(), asyncio.Event()
    original = guests.config

    async def slow(guest):
        config = await original(guest)
        if guest.vmid == 9000 and not asked.is_set():
            asked.set()
            await told.wait()
        return config

    guests.config = slow
    looking = asyncio.ensure_future(provider.list_templates())
    await asked.wait()
    await provider._launcher._clones.remove(9000, sessions[0])
    plant(lab, 9000, sessions[0], generation=1, **{**READY, "address": "10.66.1.77"})
    told.set()
    await looking
    listed = {one.session: one.address for one in (await provider.list_instances()).items}
    assert listed[sessions[0]] == "10.66.1.77"


async def test_a_session_is_stopped_though_another_process_has_made_its_clone_anew(sessions, lab, provider):
    await inventory(provider)
    lab.vms.remove(lab.vm(9000))
    plant(lab, 9000, sessions[0], generation=2)
    await provider.stop_dynamic_instance(sessions[0])
    assert 9000 not in [vm.vmid for vm in lab.vms]
