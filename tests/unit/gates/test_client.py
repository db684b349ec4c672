"""The client of a gate: what it asks for, and what it makes of every answer."""

import asyncio
from typing import Any

import httpx
import pytest

from chatsubo.gates import GateClient, GateError, RealmFull
from tests.unit.gates.gate import TOKEN, FakeGate, Network, endpoints, gate


@pytest.fixture
def network() -> Network:
    return Network({"gate.example": FakeGate()})


def _client(network: Network, **changes: Any) -> GateClient:
    return GateClient(gate("gate.example", **changes), network.client(), limit=60.0)


async def test_the_same_player_is_given_the_same_access(network: Network) -> None:
    client = _client(network)

    first, other, again = [await client.config(name) for name in ("case", "molly", "case")]

    assert first == again != other
    assert "PrivateKey = key-of-case" in first


async def test_the_token_goes_into_the_configured_header(network: Network) -> None:
    network.gates["gate.example"].header = "x-club"

    assert await _client(network, header="X-Club").config("case")
    with pytest.raises(GateError, check=lambda error: "refuses our token" in error.detail):
        await _client(network).config("case")


async def test_the_endpoints_can_be_configured(network: Network) -> None:
    network.gates["gate.example"].config = "/v2/"
    client = _client(network, endpoints=endpoints("/v2/:username", "/health"))

    await client.config("case")
    await client.check()

    assert network.gates["gate.example"].asked == ["/v2/case", "/health"]


@pytest.mark.parametrize("name", ["", "a b", "case;reboot", "../check", "é", "x" * 33, "case\n", "$(id)"])
async def test_a_name_that_could_do_harm_is_never_sent(network: Network, name: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        await _client(network).config(name)

    assert network.gates["gate.example"].asked == []


@pytest.mark.parametrize("status", [200, 500])
async def test_a_full_realm_is_recognised_whatever_the_status(network: Network, status: int) -> None:
    network.gates["gate.example"] = FakeGate(places=0, full_status=status)

    with pytest.raises(RealmFull) as raised:
        await _client(network).config("case")

    assert str(raised.value.text) == "The VPN gate of wz01 is full. Tell an organiser."


@pytest.mark.parametrize(
    "broken",
    [
        (500, b'{"errors": ["No more peers"]}'),
        (500, b"<h1>Internal Server Error</h1>"),
        (201, b'{"errors": [], "config": "x"}'),
        (302, b""),
        (404, b""),
        (200, b""),
        (200, b"{"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"\xff"),
        (200, b'{"errors": []}'),
        (200, b'{"errors": [], "config": null}'),
        (200, b'{"errors": [], "config": " "}'),
        (200, b'{"errors": [], "config": {"a": 1}}'),
        (200, b'{"errors": "x"}'),
        (200, b"[" * 100_000),
        (200, b'{"config": "' + b"x" * 2_000_000 + b'"}'),
    ],
    ids=range(17),
)
async def test_any_other_answer_is_an_error_of_the_gate(network: Network, broken: tuple[int, bytes]) -> None:
    network.gates["gate.example"].broken = broken

    with pytest.raises(GateError) as raised:
        await _client(network).config("case")

    assert not isinstance(raised.value, RealmFull)
    assert "http://gate.example:7474: " in raised.value.detail
    assert len(raised.value.detail) < 300


async def test_a_gate_that_is_away_is_an_error_of_the_gate(network: Network) -> None:
    network.gates.clear()

    with pytest.raises(GateError, check=lambda error: "nobody there" in error.detail):
        await _client(network).check()


async def test_a_gate_that_does_not_answer_is_not_waited_for() -> None:
    class Never(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
            await asyncio.Event().wait()
            raise AssertionError

    client = GateClient(gate("gate.example"), httpx.AsyncClient(transport=Never()), limit=0.05)

    with pytest.raises(GateError, check=lambda error: "no answer within 0.05 seconds" in error.detail):
        await client.config("case")


async def test_a_gate_that_is_well_says_so(network: Network) -> None:
    await _client(network).check()


@pytest.mark.parametrize(
    ("broken", "reason"), [((200, b'{"errors": ["wg0 is down"]}'), "wg0 is down"), ((500, b""), "status 500")]
)
async def test_a_gate_that_is_not_well_is_quoted(network: Network, broken: tuple[int, bytes], reason: str) -> None:
    network.gates["gate.example"].broken = broken

    with pytest.raises(GateError, check=lambda error: reason in error.detail):
        await _client(network).check()


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN}\r\nX: y", "é", "\0"])
async def test_no_error_shows_the_token(network: Network, token: str) -> None:
    with pytest.raises(GateError) as raised:
        await _client(network, token=token).config("case")

    assert token.strip() not in raised.value.detail
    assert token.strip() not in repr(raised.value)
