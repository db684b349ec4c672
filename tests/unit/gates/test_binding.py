"""Which gate a player is given."""

import pytest

from chatsubo.gates import Access, GateError, Gates, NoGate, RealmFull
from tests.unit.gates.gate import FakeGate, Network, gate

ONE, TWO = "http://one.example:7474", "http://two.example:7474"


class Remembered:
    """What is remembered of one player; ``meanwhile`` is what somebody faster binds the player to."""

    def __init__(self, url: str | None = None, meanwhile: str | None = None) -> None:
        self.url = url
        self._meanwhile = meanwhile

    async def recall(self) -> str | None:
        return self.url

    async def remember(self, url: str, instead_of: str | None) -> str:
        assert instead_of == self.url
        self.url = self._meanwhile or url
        return self.url


@pytest.fixture
def network() -> Network:
    return Network({"one.example": FakeGate(), "two.example": FakeGate()})


def _gates(network: Network) -> Gates:
    return Gates([gate("one.example"), gate("two.example"), gate("far.example", "wz02")], network.client())


async def test_the_first_gate_with_a_place_takes_a_new_player(network: Network) -> None:
    network.gates["one.example"].places = 1
    async with _gates(network) as gates:
        bound = [Remembered(), Remembered()]

        await gates.access("wz01", "case", bound[0])
        await gates.access("wz01", "molly", bound[1])

    assert [one.url for one in bound] == [ONE, TWO]


async def test_a_player_stays_with_its_gate(network: Network) -> None:
    async with _gates(network) as gates:
        access = await gates.access("wz01", "case", Remembered(TWO))

    assert access.url == TWO
    assert network.gates["one.example"].asked == []


async def test_a_player_whose_gate_is_down_waits_for_it(network: Network) -> None:
    memory = Remembered(ONE)
    network.gates["one.example"].broken = (500, b"")

    async with _gates(network) as gates:
        with pytest.raises(GateError):
            await gates.access("wz01", "case", memory)

    assert memory.url == ONE
    assert network.gates["two.example"].asked == []


async def test_a_gate_that_is_down_takes_no_new_player(network: Network) -> None:
    del network.gates["one.example"]

    async with _gates(network) as gates:
        assert (await gates.access("wz01", "case", Remembered())).url == TWO


async def test_a_gate_that_is_configured_no_more_is_replaced(network: Network) -> None:
    memory = Remembered("http://old.example:7474")

    async with _gates(network) as gates:
        await gates.access("wz01", "case", memory)

    assert memory.url == ONE


async def test_of_two_first_requests_at_once_both_end_at_one_gate(network: Network) -> None:
    memory = Remembered(meanwhile=TWO)

    async with _gates(network) as gates:
        access = await gates.access("wz01", "case", memory)

    assert access.url == memory.url == TWO


async def test_when_every_gate_is_full_the_realm_is(network: Network) -> None:
    for fake in network.gates.values():
        fake.places = 0

    async with _gates(network) as gates:
        with pytest.raises(RealmFull):
            await gates.access("wz01", "case", Remembered())


async def test_a_gate_that_is_down_may_have_a_place_later(network: Network) -> None:
    network.gates["one.example"].broken = (500, b"")
    network.gates["two.example"].places = 0

    async with _gates(network) as gates:
        with pytest.raises(GateError) as raised:
            await gates.access("wz01", "case", Remembered())

    assert not isinstance(raised.value, RealmFull)


async def test_a_realm_without_a_gate_has_none(network: Network) -> None:
    async with _gates(network) as gates:
        with pytest.raises(NoGate):
            await gates.access("wz09", "case", Remembered())
        assert set(gates.by_realm) == {"wz01", "wz02"}


def test_an_access_knows_its_key_whatever_surrounds_it() -> None:
    wireguard = [
        Access(f"[Interface]\n{line}\nAddress = {n}", "x") for n, line in enumerate(("PrivateKey=a", "privatekey = a"))
    ]
    openvpn = Access("client\n<key>\na\n</key>", "x")

    assert wireguard[0].key_digest == wireguard[1].key_digest
    assert wireguard[0].key_digest != Access("[Interface]\nPrivateKey=b", "x").key_digest
    assert (wireguard[0].kind, openvpn.kind) == ("wireguard", "openvpn")
    assert "PrivateKey" not in repr(wireguard[0])
