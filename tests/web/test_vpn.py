"""The download of a player's VPN configuration, from the page's link to the gate."""

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
