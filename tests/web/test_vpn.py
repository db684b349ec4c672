"""The download of a player's VPN configuration, from the page's link to the gate."""

import json
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from chatsubo.domain.clock import utc_now
from chatsubo.game.vpn import Vpn
from chatsubo.gates import Gates
from tests.game.world import World
from tests.unit.gates.gate import FakeGate, Network, gate
from tests.web.conftest import MakeSite

GATES = (gate("one.example"), gate("two.example"))


async def test_a_player_downloads_its_own_access(make_site: MakeSite, network: Network) -> None:
    network.gates["one.example"] = FakeGate()
    case = await make_site(gates=GATES).player("case")

    answer = await case.get("/api/v1/realms/wz01/vpn")

    assert answer.status_code == 200
    assert "key-of-case" in answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="chatsubo-wz01.conf"'
    assert answer.headers["cache-control"] == "no-store"


async def test_a_player_is_bound_to_its_gate_for_good(make_site: MakeSite, network: Network) -> None:
    one, two = FakeGate(places=0), FakeGate()
    network.gates.update({"one.example": one, "two.example": two})
    case = await make_site(gates=GATES).player("case")

    first = await case.get("/api/v1/realms/wz01/vpn")
    one.places = 100
    again = await case.get("/api/v1/realms/wz01/vpn")

    assert first.content == again.content
    assert (one.players, two.players) == ([], ["case"])


async def test_a_name_that_a_gate_cannot_bear_is_sent_as_another(make_site: MakeSite, network: Network) -> None:
    network.gates["one.example"] = FakeGate()
    lady = await make_site(gates=GATES).player("Lady 3Jane")

    assert (await lady.get("/api/v1/realms/wz01/vpn")).status_code == 200
    assert network.gates["one.example"].players[0].startswith("player-")


async def test_two_accounts_that_are_given_one_key_are_reported(network: Network, world: World) -> None:
    class Careless(FakeGate):
        def _config(self, username: str) -> tuple[int, bytes]:  # noqa: ARG002
            return super()._config("the only one")

    network.gates["one.example"] = Careless()
    case, molly = await world.player("case"), await world.player("molly")
    async with Gates(GATES, network.client()) as gates:
        vpn = Vpn(world.db, utc_now, gates)
        with capture_logs() as logs:
            await vpn.access(case, "wz01")
            assert logs == []
            await vpn.access(molly, "wz01")
            await vpn.access(molly, "wz01")

    assert [(log["event"], log["accounts"]) for log in logs] == [("accounts share one VPN key", ["molly", "case"])]


@pytest.mark.parametrize(
    ("fake", "code"), [(FakeGate(places=0), "realm-full"), (FakeGate(broken=(500, b"")), "gate-error")]
)
async def test_a_gate_that_gives_nothing_is_told(
    make_site: MakeSite, network: Network, fake: FakeGate, code: str
) -> None:
    network.gates.update({"one.example": fake, "two.example": replace(fake)})
    case = await make_site(gates=GATES).player("case")

    answer = await case.get("/api/v1/realms/wz01/vpn")

    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert "one.example" not in answer.text


@pytest.mark.parametrize("realm", ["wz09", "..%2f..", "%22%0d%0a"])
async def test_a_realm_without_a_gate_is_not_found(make_site: MakeSite, realm: str) -> None:
    case = await make_site(gates=GATES).player("case")

    assert (await case.get(f"/api/v1/realms/{realm}/vpn")).status_code == 404


async def test_a_player_sees_each_realm_and_whether_it_is_connected(make_site: MakeSite, network: Network) -> None:
    network.gates["one.example"] = FakeGate()
    case = await make_site(gates=GATES).player("case")

    before = (await case.get("/api/v1/realms")).json()
    await case.get("/api/v1/realms/wz01/vpn")
    after = (await case.get("/api/v1/realms")).json()

    assert [(one["realm"], one["given"], one["connected"]) for one in before] == [("wz01", False, False)]
    assert [(one["realm"], one["given"], one["cut_off"]) for one in after] == [("wz01", True, False)]


async def test_a_new_configuration_is_another_file(make_site: MakeSite, network: Network) -> None:
    network.gates["one.example"] = FakeGate(versioned=True)
    case = await make_site(gates=GATES).player("case")
    old = await case.get("/api/v1/realms/wz01/vpn")

    new = await case.post("/api/v1/realms/wz01/vpn")

    assert new.status_code == 200
    assert new.headers["content-disposition"] == old.headers["content-disposition"]
    assert new.headers["cache-control"] == "no-store"
    assert new.text != old.text
    assert (await case.get("/api/v1/realms/wz01/vpn")).text == new.text


async def test_new_configurations_cannot_be_asked_for_without_end(make_site: MakeSite, network: Network) -> None:
    network.gates["one.example"] = FakeGate(versioned=True)
    case = await make_site(gates=GATES).player("case")

    statuses = [(await case.post("/api/v1/realms/wz01/vpn")).status_code for _ in range(11)]

    assert statuses == [200] * 10 + [429]


async def test_an_old_gate_has_no_new_configuration(make_site: MakeSite, network: Network) -> None:
    network.gates["one.example"] = FakeGate()
    case = await make_site(gates=GATES).player("case")
    await case.get("/api/v1/realms/wz01/vpn")

    answer = await case.post("/api/v1/realms/wz01/vpn")

    assert (answer.status_code, answer.json()["code"]) == (409, "old-gate")


async def test_a_phone_is_shown_a_code(make_site: MakeSite, network: Network) -> None:
    network.gates["one.example"] = FakeGate()
    case = await make_site(gates=GATES).player("case")

    answer = await case.get("/api/v1/realms/wz01/vpn/qr")

    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/svg+xml", "no-store")
    assert answer.text.startswith("<svg ")
    assert "style=" not in answer.text


@pytest.mark.parametrize("config", ["client\n<key>\na\n</key>", "[Interface]\nPrivateKey = a\n#" + "x" * 3000])
async def test_what_fits_no_code_is_told(make_site: MakeSite, network: Network, config: str) -> None:
    network.gates["one.example"] = FakeGate(broken=(200, json.dumps({"errors": [], "config": config}).encode()))
    case = await make_site(gates=GATES).player("case")

    answer = await case.get("/api/v1/realms/wz01/vpn/qr")

    assert (answer.status_code, answer.json()["code"]) == (409, "no-qr-code")


async def test_an_organiser_sees_the_gates_and_cuts_a_player_off(make_site: MakeSite, network: Network) -> None:
    network.gates["one.example"] = FakeGate(versioned=True)
    site = make_site(gates=GATES)
    case, finn = await site.player("case"), await site.organiser()
    await case.get("/api/v1/realms/wz01/vpn")

    gates = (await finn.get("/api/v1/admin/gates")).json()
    assert [one["url"] for one in gates] == ["http://one.example:7474", "http://two.example:7474"]
    (player,) = gates[0]["players"]
    assert (player["username"], player["realm"], player["given"]) == ("case", "wz01", True)
    assert "key-of" not in json.dumps(gates)

    cut_off = f"/api/v1/admin/realms/wz01/players/{player['account_id']}/cut-off"
    assert (await finn.post(cut_off)).status_code == 204
    for answer in (
        await case.get("/api/v1/realms/wz01/vpn"),
        await case.post("/api/v1/realms/wz01/vpn"),
        await case.get("/api/v1/realms/wz01/vpn/qr"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "cut-off")
    assert (await case.get("/api/v1/realms")).json()[0]["cut_off"] is True

    assert (await finn.send("DELETE", cut_off)).status_code == 204
    assert (await case.get("/api/v1/realms/wz01/vpn")).status_code == 200


async def test_who_is_bound_to_no_gate_cannot_be_cut_off(make_site: MakeSite) -> None:
    site = make_site(gates=GATES)
    await site.player("case")
    finn = await site.organiser()

    assert (await finn.post("/api/v1/admin/realms/wz01/players/1/cut-off")).status_code == 404
    assert (await finn.post("/api/v1/admin/realms/wz09/players/99/cut-off")).status_code == 404


async def test_gates_are_for_organisers_alone(make_site: MakeSite) -> None:
    case = await make_site(gates=GATES).player("case")

    assert (await case.get("/api/v1/admin/gates")).status_code == 403
    assert (await case.post("/api/v1/admin/realms/wz01/players/1/cut-off")).status_code == 403
    assert (await case.send("DELETE", "/api/v1/admin/realms/wz01/players/1/cut-off")).status_code == 403
