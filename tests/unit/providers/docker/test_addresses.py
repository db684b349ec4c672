"""How addresses are allotted."""

import asyncio
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsubo.providers.docker.addresses import Addresses, pick
from chatsubo.providers.docker.network import Network, read
from chatsubo.providers.exc import Misconfigured, NoCapacity


def network(subnet: str = "10.1.0.0/29") -> Network:
    parsed = IPv4Network(subnet)
    return Network("gate", parsed, frozenset({parsed.network_address + 1}))


@given(st.sets(st.integers(0, 7)), st.one_of(st.none(), st.integers(0, 7)))
def test_an_address_is_free_and_none_of_the_networks_own(used: set[int], last: int | None):
    base = IPv4Address("10.1.0.0")
    taken = {base + one for one in used}
    free = {base + one for one in range(2, 7)} - taken

    if not free:
        with pytest.raises(NoCapacity):
            pick(network(), taken, None if last is None else base + last)
    else:
        assert pick(network(), taken, None if last is None else base + last) in free


def test_addresses_are_handed_out_in_turn():
    assert pick(network(), set(), IPv4Address("10.1.0.3")) == IPv4Address("10.1.0.4")
    assert pick(network(), set(), IPv4Address("10.1.0.6")) == IPv4Address("10.1.0.2")


async def test_starts_at_once_get_addresses_of_their_own():
    addresses = Addresses()
    on_the_engine: set[IPv4Address] = set()
    given_out: list[IPv4Address] = []

    async def used() -> set[IPv4Address]:
        found = set(on_the_engine)
        await asyncio.sleep(0)
        return found

    async def start() -> None:
        async with addresses.hold(network("10.1.0.0/24"), used) as address:
            given_out.append(address)
            await asyncio.sleep(0)
            on_the_engine.add(address)

    await asyncio.gather(*(start() for _ in range(253)))

    assert len(set(given_out)) == 253
    with pytest.raises(NoCapacity, match="are in use"):
        await start()


async def test_an_address_that_was_given_back_can_be_had_again():
    addresses = Addresses()

    async def used() -> set[IPv4Address]:
        return set()

    for _ in range(12):
        async with addresses.hold(network(), used):
            pass


def test_the_gateway_and_what_the_engine_keeps_are_nobodys():
    found = read({
        "Name": "gate",
        "IPAM": {"Config": [{"Subnet": "10.1.0.0/24", "Gateway": "10.1.0.9", "AuxiliaryAddresses": {"a": "10.1.0.7"}}]},
    })  # fmt: skip

    assert found.taken == {IPv4Address("10.1.0.9"), IPv4Address("10.1.0.7")}


def test_a_network_without_ipv4_is_an_error():
    with pytest.raises(Misconfigured, match="no IPv4"):
        read({"Name": "gate", "IPAM": {"Config": [{"Subnet": "fd00::/64"}]}})
