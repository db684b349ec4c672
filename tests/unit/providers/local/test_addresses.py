"""Which address and ports an instance is given."""

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsubo.providers.exc import NoCapacity
from chatsubo.providers.local.addresses import COMMON, Addresses, Lease


class Ports:
    """Binds what nobody else has bound, in memory."""

    def __init__(self, taken: set[tuple[str, int]] | None = None, only: str = "") -> None:
        self.taken = taken or set()
        self.only = only
        self.next = 40_000

    def __call__(self, address: str, port: int) -> int | None:
        if self.only and address != self.only:
            raise OSError(errno.EADDRNOTAVAIL, "cannot assign")
        if port == 0:
            self.next += 1
            return self.next
        return None if {(address, port), ("*", port)} & self.taken else port


def test_each_instance_has_an_address_of_its_own_until_none_is_left() -> None:
    addresses = Addresses("127.77.0.0/29", Ports())
    held: list[Lease] = []
    for _ in range(6):
        held.append(addresses.lease({"http": 8000}, held))
    assert {lease.address for lease in held} == {f"127.77.0.{host}" for host in range(1, 7)}
    assert {lease.slot for lease in held} == set(range(6))
    assert all(lease.ports == {"http": 8000} for lease in held)
    with pytest.raises(NoCapacity):
        addresses.lease({"http": 8000}, held)


def test_an_address_whose_port_is_taken_is_passed_over() -> None:
    addresses = Addresses("127.77.0.0/30", Ports({("127.77.0.1", 8000)}))
    assert {addresses.lease({"http": 8000}, []).address for _ in range(20)} == {"127.77.0.2"}


def test_a_port_that_is_taken_everywhere_is_replaced_and_the_others_stay() -> None:
    lease = Addresses("127.77.0.0/30", Ports({("*", 8000)})).lease({"http": 8000, "ssh": 2222}, [])
    assert lease.ports["http"] > 40_000
    assert lease.ports["ssh"] == 2222


def test_without_addresses_of_their_own_instances_have_ports_of_their_own() -> None:
    addresses = Addresses("127.77.0.0/24", Ports(only=COMMON))
    held: list[Lease] = []
    for _ in range(5):
        held.append(addresses.lease({"http": 8000, "ssh": 2222}, held))
    assert {lease.address for lease in held} == {COMMON}
    ports = [port for lease in held for port in lease.ports.values()]
    assert len(set(ports)) == len(ports) == 10
    assert held[0].ports == {"http": 8000, "ssh": 2222}


def test_no_free_port_is_no_capacity() -> None:
    def nothing(address: str, port: int) -> int | None:
        return port if not port and address != COMMON else None

    with pytest.raises(NoCapacity):
        Addresses("127.77.0.0/24", nothing).lease({"http": 8000}, [])


@given(st.sets(st.integers(0, 61)))
def test_a_lease_never_collides(taken: set[int]) -> None:
    held = [Lease(slot, f"127.77.0.{slot + 1}", {}) for slot in taken]
    addresses = Addresses("127.77.0.0/26", Ports())
    if len(taken) == addresses.size:
        with pytest.raises(NoCapacity):
            addresses.lease({}, held)
    else:
        assert addresses.lease({}, held).slot not in taken
