"""The HTTP API: the contract that old platforms know, and the versioned one."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from chatsubo.gate.api import TOKEN_HEADER, application
from tests.unit.gate.fakes import ONLINE, Bench

TOKEN = {TOKEN_HEADER: "hunter2"}


@pytest.fixture
async def client(bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    served: Any = application(bench.gate, bench.config.auth_token)
    transport = httpx.ASGITransport(served)
    async with httpx.AsyncClient(transport=transport, base_url="http://gate", headers=TOKEN) as made:
        yield made


async def said(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


# The contract that old platforms know


@pytest.mark.parametrize("path", ["/api/check", "/api/check/"])
async def test_a_gate_that_is_well_has_no_errors(client: httpx.AsyncClient, path: str) -> None:
    assert await said(await client.get(path)) == {"errors": []}


async def test_a_gate_that_is_not_well_says_what_is_wrong(client: httpx.AsyncClient, bench: Bench) -> None:
    bench.tunnel.broken = True
    await bench.gate.look()
    assert await said(await client.get("/api/check")) == {"errors": ["the VPN server is away"]}


async def test_a_player_always_gets_the_same_access(client: httpx.AsyncClient, bench: Bench) -> None:
    first = await said(await client.get("/api/vpn/get/alice"))
    assert first == {"errors": [], "config": f"private-{bench.uid('alice')} 10.66.0.2"}
    assert await said(await client.get("/api/vpn/get/alice")) == first


async def test_a_full_gate_says_so(client: httpx.AsyncClient) -> None:
    for n in range(5):
        await said(await client.get(f"/api/vpn/get/player{n}"))
    assert await said(await client.get("/api/vpn/get/late")) == {"errors": ["Realm is full"]}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a%20b", "a b"),
        ("a%2Fb", "a/b"),
        ("a/b", "a/b"),
        ("a%2F%2Fb", "a//b"),
        ("a%2F", "a/"),
        ("%C3%A9t%C3%A9", "été"),
        ("x" * 200, "x" * 200),
        ("a%3Fb", "a?b"),
        ("%252F", "%2F"),
        ("..%2Fetc%2Fpasswd", "../etc/passwd"),
    ],
)
async def test_any_name_is_taken_as_it_is(client: httpx.AsyncClient, bench: Bench, path: str, name: str) -> None:
    await said(await client.get(f"/api/vpn/get/{path}"))
    assert [one.name for one in bench.gate.peers] == [name]


@pytest.mark.parametrize("path", ["x" * 201, "%00", "a%0Ab", "%FF", "%7F", "%E2%80%AE"])
async def test_a_name_that_cannot_be_is_refused(client: httpx.AsyncClient, bench: Bench, path: str) -> None:
    answer = await said(await client.get(f"/api/vpn/get/{path}"), 400)
    assert (len(answer["errors"]), bench.gate.peers) == (1, [])


@pytest.mark.parametrize("headers", [{}, {TOKEN_HEADER: ""}, {TOKEN_HEADER: "hunter"}, {TOKEN_HEADER: "hunter22"}])
async def test_nobody_without_the_token_is_answered(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    del client.headers[TOKEN_HEADER]
    for method, path in (
        ("GET", "/api/check"),
        ("GET", "/api/vpn/get/alice"),
        ("GET", "/api/v1/peers"),
        ("PUT", "/api/v1/access"),
        ("DELETE", "/api/v1/peers/alice"),
    ):
        answer = await said(await client.request(method, path, headers=headers, json={}), 401)
        assert answer == {"errors": ["the token is missing or wrong"]}


async def test_a_token_of_odd_bytes_is_just_wrong(client: httpx.AsyncClient) -> None:
    odd = await client.get("/api/check", headers=[(TOKEN_HEADER.encode(), b"hunt\xe9r\xff")])
    assert odd.status_code == 401


# The versioned API


async def test_how_the_gate_is(client: httpx.AsyncClient, bench: Bench) -> None:
    await bench.gate.access("alice")
    bench.tunnel.connected = {bench.uid("alice"): ONLINE}
    await bench.gate.look()
    assert await said(await client.get("/api/v1/health")) == {
        "realm": "wz01",
        "kind": "wireguard",
        "errors": [],
        "places": 5,
        "free": 4,
        "peers": 1,
        "online": 1,
        "picture": 0,
        "clock": bench.now,
    }


async def test_accesses_are_made_and_listed_without_their_keys(client: httpx.AsyncClient, bench: Bench) -> None:
    made = await said(await client.post("/api/v1/peers", json={"names": ["alice", "bob", "alice"]}), 201)
    assert [one["name"] for one in made] == ["alice", "bob", "alice"]
    bench.tunnel.connected = {bench.uid("bob"): ONLINE}
    await bench.gate.look()
    listed = await client.get("/api/v1/peers")
    assert "private" not in listed.text
    assert [(one["name"], one["online"]) for one in listed.json()] == [("alice", False), ("bob", True)]
    online = await said(await client.get("/api/v1/peers", params={"online": "true"}))
    assert online == [await said(await client.get("/api/v1/peers/bob"))]
    assert online[0] == {
        "name": "bob",
        "addresses": ["10.66.0.3"],
        "made": bench.now,
        "seen": bench.now,
        "online": True,
        "since": bench.now,
        "handshake": 1.0,
        "received": 2,
        "sent": 3,
    }


async def test_an_access_is_renamed_renewed_and_revoked(client: httpx.AsyncClient) -> None:
    first = (await said(await client.get("/api/vpn/get/a%2Fb")))["config"]
    await said(await client.patch("/api/v1/peers/a%2Fb", json={"name": "alice"}))
    assert (await said(await client.get("/api/vpn/get/alice")))["config"] == first
    renewed = (await said(await client.post("/api/v1/configs/alice"), 201))["config"]
    assert (await said(await client.get("/api/vpn/get/alice")))["config"] == renewed != first
    assert (await client.delete("/api/v1/peers/alice")).status_code == 204
    await said(await client.get("/api/v1/peers/alice"), 404)


async def test_a_picture_is_put_and_got(client: httpx.AsyncClient, bench: Bench) -> None:
    await bench.gate.access("alice")
    picture = {"version": 7, "players": {"alice": {"two_way": ["10.9.0.1", "fd00::1"], "one_way": ["10.9.0.2"]}}}
    for _ in range(2):
        assert await said(await client.put("/api/v1/access", json=picture)) == {"errors": [], "version": 7}
    assert await said(await client.get("/api/v1/access")) == picture
    assert bench.rules.reach() == {("10.66.0.2", "10.9.0.1"), ("10.66.0.2", "10.9.0.2")}


async def test_an_older_picture_is_refused_with_the_version_that_holds(client: httpx.AsyncClient) -> None:
    await said(await client.put("/api/v1/access", json={"version": 7}))
    answer = await said(await client.put("/api/v1/access", json={"version": 6}), 409)
    assert answer["version"] == 7


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"version": -1}',
        b'{"version": "one"}',
        b'{"version": 1, "plyers": {}}',
        b'{"version": 1, "players": {"alice": {"two_way": ["10.0.0.0/8"]}}}',
        b'{"version": 1, "players": {"alice": {"two_way": ["box.example"]}}}',
        b'{"version": 1, "players": {"": {}}}',
        b'{"version": 1, "players": {"alice": ["10.0.0.1"]}}',
    ],
)
async def test_a_picture_that_is_none_is_refused_and_changes_nothing(
    client: httpx.AsyncClient, bench: Bench, body: bytes
) -> None:
    answer = await said(await client.put("/api/v1/access", content=body), 400)
    assert answer["errors"]
    assert bench.gate.picture.version == 0


async def test_a_picture_that_the_kernel_does_not_take_is_to_be_sent_again(
    client: httpx.AsyncClient, bench: Bench
) -> None:
    await bench.gate.access("alice")
    bench.rules.broken = True
    picture = {"version": 1, "players": {"alice": {"two_way": ["10.9.0.1"]}}}
    assert await said(await client.put("/api/v1/access", json=picture), 503) == {"errors": ["the kernel refuses"]}
