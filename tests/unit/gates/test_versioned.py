"""The versioned API, on a small independent gate and on the application of the real one: they say the same."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chatsubo.gate.api import application
from chatsubo.gates import GateClient, GateError, OldGate, PictureRefused, Reach, RealmFull
from tests.unit.gate.fakes import ONLINE, Bench
from tests.unit.gates.gate import TOKEN, FakeGate, Network, gate

PLACES = 5


@dataclass
class Subject:
    """A gate that is asked; ``connect`` lets a player's tunnel come up."""

    client: GateClient
    connect: Callable[[str], Any]
    trouble: Callable[[], Any]


@pytest.fixture(params=["the fake", "the real one"])
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    """A gate with five places."""
    bench = Bench(tmp_path, subnet="10.66.0.0/29")
    await bench.gate.start()
    fake = FakeGate(places=PLACES, versioned=True)

    async def connect(name: str) -> None:
        bench.tunnel.connected[bench.uid(name)] = ONLINE
        await bench.gate.look()

    async def connect_to_fake(name: str) -> None:
        fake.lines[name] = bench.now

    async def break_real() -> None:
        bench.tunnel.broken = True
        await bench.gate.look()

    async def break_fake() -> None:
        fake.errors.append("the VPN server is away")

    if request.param == "the fake":
        http = Network({"gate.example": fake}).client()
        yield Subject(GateClient(gate("gate.example"), http), connect_to_fake, break_fake)
    else:
        http = Network({"gate.example": application(bench.gate, bench.config.auth_token)}).client()
        asked = gate("gate.example", token=bench.config.auth_token.reveal())
        yield Subject(GateClient(asked, http), connect, break_real)
    await http.aclose()
    bench.state.close()


async def test_a_gate_says_how_it_is(subject: Subject) -> None:
    await subject.client.config("case")

    health = await subject.client.health()

    assert health is not None
    assert (health.kind, health.errors, health.picture) == ("wireguard", (), 0)
    assert (health.places, health.free, health.peers) == (PLACES, PLACES - 1, 1)


async def test_a_gate_that_is_not_well_says_what_is_wrong(subject: Subject) -> None:
    await subject.trouble()

    health = await subject.client.health()

    assert health is not None
    assert health.errors == ("the VPN server is away",)


async def test_a_gate_says_who_is_connected_since_when(subject: Subject) -> None:
    for name in ("case", "molly"):
        await subject.client.config(name)
    assert await subject.client.online() == {}

    await subject.connect("molly")

    lines = await subject.client.online()
    assert {name: (one.since, one.received, one.sent) for name, one in lines.items()} == {"molly": (1_000_000.0, 2, 3)}


async def test_a_new_access_is_another_one_and_stays(subject: Subject) -> None:
    old = await subject.client.config("case")

    new = await subject.client.renew("case")

    assert new != old
    assert await subject.client.config("case") == new


async def test_who_had_no_access_is_given_the_first_one(subject: Subject) -> None:
    assert await subject.client.renew("case") == await subject.client.config("case")


async def test_a_full_gate_gives_no_new_one(subject: Subject) -> None:
    for n in range(PLACES):
        await subject.client.config(f"player{n}")

    with pytest.raises(RealmFull):
        await subject.client.renew("late")


async def test_an_access_that_was_revoked_is_gone_and_its_place_is_free(subject: Subject) -> None:
    old = await subject.client.config("case")

    await subject.client.revoke("case")
    await subject.client.revoke("case")

    health = await subject.client.health()
    assert health is not None
    assert health.free == PLACES
    assert await subject.client.config("case") != old


async def test_a_picture_is_taken_and_none_older_after_it(subject: Subject) -> None:
    reach = {"case": Reach(two_way=("172.30.0.2",), one_way=("172.30.0.9", "fd00::9"))}
    await subject.client.show(7, reach)
    await subject.client.show(7, reach)

    with pytest.raises(PictureRefused, check=lambda refused: refused.version == 7):
        await subject.client.show(6, reach)
    with pytest.raises(PictureRefused, check=lambda refused: refused.version == 7):
        await subject.client.show(7, {})

    health = await subject.client.health()
    assert health is not None
    assert health.picture == 7


async def test_a_wrong_token_is_told(subject: Subject) -> None:
    client = subject.client
    wrong = GateClient(gate("gate.example", token="wrong"), client._http)
    for call in (wrong.health(), wrong.online(), wrong.renew("case"), wrong.revoke("case"), wrong.show(1, {})):
        with pytest.raises(GateError, check=lambda error: "refuses our token" in error.detail):
            await call


# Old gates


@pytest.fixture
def old() -> GateClient:
    return GateClient(gate("gate.example"), Network({"gate.example": FakeGate()}).client())


async def test_an_old_gate_is_known_as_one(old: GateClient) -> None:
    assert await old.health() is None
    await old.check()


async def test_an_old_gate_gives_no_new_access(old: GateClient) -> None:
    with pytest.raises(OldGate):
        await old.renew("case")


@pytest.mark.parametrize("broken", [(200, b"<h1>It works!</h1>"), (200, b'{"errors": []}'), (405, b""), (501, b"")])
async def test_whatever_an_old_gate_says_to_a_path_that_it_does_not_know(broken: tuple[int, bytes]) -> None:
    fake = FakeGate(broken=broken)

    assert await GateClient(gate("gate.example"), Network({"gate.example": fake}).client()).health() is None


@pytest.mark.parametrize("broken", [(500, b""), (503, b'{"errors": ["x"]}'), (502, b"<h1>Bad Gateway</h1>")])
async def test_a_gate_that_fails_is_no_old_one(broken: tuple[int, bytes]) -> None:
    client = GateClient(gate("gate.example"), Network({"gate.example": FakeGate(broken=broken)}).client())

    for call in (client.health(), client.online(), client.renew("case"), client.revoke("case"), client.show(1, {})):
        with pytest.raises(GateError, check=lambda error: f"status {broken[0]}" in error.detail):
            await call


@pytest.mark.parametrize("body", [b"", b"{}", b'[{"online": true}]', b"null", b"[" * 100_000])
async def test_a_list_of_peers_that_is_none_is_an_error(body: bytes) -> None:
    client = GateClient(gate("gate.example"), Network({"gate.example": FakeGate(broken=(200, body))}).client())

    with pytest.raises(GateError, check=lambda error: len(error.detail) < 300 and TOKEN not in error.detail):
        await client.online()


@pytest.mark.parametrize("number", ["received", "sent"])
async def test_a_peer_with_a_number_that_cannot_be_is_an_error(number: str) -> None:
    body = b'[{"name": "case", "online": true, "%s": 1%s}]' % (number.encode(), b"0" * 18)
    fake = FakeGate(broken=(200, body))
    client = GateClient(gate("gate.example"), Network({"gate.example": fake}).client())
    assert list(await client.online()) == ["case"]
    fake.broken = (200, body.replace(b"1000", b"10000000"))

    with pytest.raises(GateError, check=lambda error: "is not understood" in error.detail):
        await client.online()


@pytest.mark.parametrize("name", ["", "x" * 201, "a\\u0000b"])
async def test_a_peer_with_a_name_that_cannot_be_is_an_error(name: str) -> None:
    body = b'[{"name": "%s", "online": true}]' % name.encode()
    client = GateClient(gate("gate.example"), Network({"gate.example": FakeGate(broken=(200, body))}).client())

    with pytest.raises(GateError, check=lambda error: "is not understood" in error.detail):
        await client.online()


async def test_a_gate_with_more_places_than_there_can_be_is_in_trouble() -> None:
    client = GateClient(
        gate("gate.example"), Network({"gate.example": FakeGate(versioned=True, places=2**31)}).client()
    )

    with pytest.raises(GateError, check=lambda error: "a number is too large" in error.detail):
        await client.health()


async def test_what_is_no_list_of_peers_is_not_read_to_its_end() -> None:
    client = GateClient(
        gate("gate.example"), Network({"gate.example": FakeGate(broken=(200, b"[[], and megabytes"))}).client()
    )

    with pytest.raises(GateError, check=lambda error: "`object`, got `array` - at `$[0]`" in error.detail):
        await client.online()
