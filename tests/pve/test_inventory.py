"""Few requests: what the guests say is remembered, and read again in slices."""

import asyncio

import pytest

from chatsubo.providers.exc import BackendConnectionException
from chatsubo.providers.pve.client import Client
from chatsubo.providers.pve.guests import Guests
from chatsubo.providers.pve.survey import CYCLE, SLICE, Survey
from tests.pve import cluster
from tests.pve.cluster import add_vm, inventory, labels, written

GUESTS = 40


@pytest.fixture
def crowd(pve):
    for number in range(GUESTS):
        told = labels(f"box{number}") if number % 10 == 0 else {}
        add_vm(pve, 100 + number, told, config={"tags": "box;ctf" if told else "office"})
    return pve


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
async def survey(pve, ca, now):
    config = cluster.make(pve, str(ca)).config
    client = Client("pve/cluster", config)
    made = Survey(Guests(client), None, None, clock=lambda: now[0])
    yield made
    await made.aclose()
    await client.aclose()


async def test_with_a_tag_only_tagged_guests_are_asked_for_more(crowd, make_provider):
    provider = make_provider(tag="ctf")
    templates, instances = await inventory(provider)
    assert (len(templates), len(instances)) == (4, 4)
    assert provider.requests_sent == crowd.count() == 1 + 4
    assert crowd.count("GET", "/config") == 4


async def test_an_inventory_between_slices_is_one_request(crowd, make_provider):
    provider = make_provider()
    await inventory(provider)
    before = provider.requests_sent
    assert before == 1 + GUESTS
    await inventory(provider)
    assert provider.requests_sent == before + 1


async def test_no_more_requests_are_in_flight_than_configured(crowd, make_provider):
    crowd.delay = 0.01
    await inventory(make_provider(max_in_flight=3))
    assert crowd.most_in_flight == 3
    crowd.most_in_flight = 0
    await inventory(make_provider())
    assert crowd.most_in_flight == 8


async def test_a_changed_note_shows_at_once_on_refresh(crowd, make_provider):
    provider = make_provider()
    await inventory(provider)
    crowd.vm(100).config["description"] = written(labels("renamed"))
    assert "renamed" not in [one.name for one in (await inventory(provider))[0]]
    provider.forget()
    templates, instances = await inventory(provider)
    assert "renamed" in [one.name for one in templates]
    assert "renamed" in [one.template for one in instances]


async def test_every_guest_is_read_again_within_five_minutes_a_few_at_a_time(crowd, survey, now):
    await survey.look()
    crowd.requests.clear()
    most, began = 0, now[0]
    while len({path for _, path, _ in crowd.requests if path.endswith("/config")}) < GUESTS:
        now[0] += 10
        before = crowd.count("GET", "/config")
        await survey.look()
        most = max(most, crowd.count("GET", "/config") - before)
    assert now[0] - began <= 300
    assert most <= GUESTS * SLICE / CYCLE + 1
    assert crowd.count("GET", "/config") <= GUESTS + most


async def test_a_changed_tag_shows_at_once(crowd, survey):
    await survey.look()
    vm = crowd.vm(101)
    vm.config.update(description=written(labels("new")), tags="ctf;fresh")
    assert [one.labels for one in await survey.look() if one.guest.vmid == 101] == [labels("new")]


async def test_the_first_look_goes_on_when_its_caller_gives_up(crowd, survey):
    crowd.delay = 0.02
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(survey.look(), 0.05)
    seen = await survey.look()
    assert len(seen) == GUESTS
    assert crowd.count("GET", "/config") == GUESTS


async def test_a_node_that_is_away_takes_nothing_from_the_others(crowd, make_provider):
    add_vm(crowd, 300, labels("far"), node="pve2", name="far")
    crowd.set_node_offline("pve2")
    listing = await make_provider().list_instances()
    assert len(listing.items) == 4
    assert [(one.name, str(one.reason)) for one in listing.rejected] == [
        ("far", "its configuration cannot be read: its node does not answer")
    ]


async def test_a_machine_whose_node_goes_away_stays_listed_as_not_running(pve, make_provider):
    add_vm(pve, 300, labels("far"), node="pve2")
    provider = make_provider()
    await inventory(provider)
    pve.set_node_offline("pve2")
    provider.forget()
    [instance] = (await provider.list_instances()).items
    assert (instance.template, instance.running) == ("far", False)


async def test_a_node_that_is_away_is_asked_for_one_of_its_guests_only(crowd, make_provider):
    for number in range(10):
        add_vm(crowd, 300 + number, labels(f"far{number}"), node="pve2")
    crowd.set_node_offline("pve2")
    provider = make_provider()
    assert len((await provider.list_instances()).rejected) == 10
    crowd.requests.clear()
    await provider.list_instances()
    assert crowd.count() == 2


async def test_a_node_that_is_away_keeps_no_changed_note_of_the_others_from_showing(crowd, survey, now):
    for vm in crowd.vms:
        vm.node = "pve2"
    for number in range(GUESTS):
        add_vm(crowd, 200 + number, {})
    await survey.look()
    crowd.set_node_offline("pve2")
    crowd.requests.clear()
    for _ in range(10):
        now[0] += SLICE
        await survey.look()
    read = {path for _, path, _ in crowd.requests if path.endswith("/config") and "/pve1/" in path}
    assert len(read) == GUESTS


async def test_a_guest_that_cannot_be_read_takes_nothing_from_the_others(crowd, make_provider):
    crowd.fail("GET", "/qemu/105/config", 500, "unable to parse the configuration of 105")
    listing = await make_provider().list_instances()
    assert len(listing.items) == 4
    [(name, reason)] = [(one.name, str(one.reason)) for one in listing.rejected]
    assert name == "vm105"
    assert "unable to parse" in reason


async def test_an_answer_that_lists_no_guests_is_told(pve, make_provider):
    pve.mood = "nothing"
    with pytest.raises(BackendConnectionException):
        await make_provider().list_instances()


async def test_guests_of_other_nodes_do_not_count_where_nodes_are_named(pve, make_provider):
    add_vm(pve, 100, labels("here"))
    add_vm(pve, 101, labels("there"), node="pve2")
    listing = await make_provider(nodes=("pve2",)).list_instances()
    assert [one.template for one in listing.items] == ["there"]


async def test_a_guest_that_was_made_just_now_is_known_by_its_id(pve, make_provider):
    pve.lag = 60.0
    add_vm(pve, 100, labels("young"))
    [instance] = (await make_provider().list_instances()).items
    assert (instance.name, instance.template, instance.running) == ("100", "young", False)
