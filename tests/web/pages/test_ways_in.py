"""A player's ways into realms, as pages show them: one test for each state."""

import re

import pytest

from chatsubo.game import Client
from tests.unit.gates.gate import FakeGate
from tests.web.pages import gated
from tests.web.pages.reading import Page
from tests.web.pages.test_every_page import PLAYED

HOSTS = ("guard.example", "open.example", "old.example", "full.example")
RENEW = "/realms/wz01/vpn/renew"


@pytest.fixture
async def site(make_site, world, network):
    """A site with a gate of every kind."""
    await gated.begin(world)
    network.gates.update({host: FakeGate() for host in HOSTS})
    return make_site(gates=gated.GATES)


async def card_of(visitor, realm: str) -> str:
    """Return what the page says of one realm, its spaces made plain."""
    html = (await visitor.get("/vpn")).text
    card = html[html.index(f'id="way-{realm}"') :]
    return " ".join(Page(f"<section {card[: card.index('</section>')]}</section>").text.split())


async def test_who_is_connected_sees_since_when(player, world):
    await gated.connect(world, "case")
    card = await card_of(player, "wz01")
    assert "Connected Since" in card
    assert "WireGuard" in card
    page = await player.page("/vpn")
    assert any("is-good" in (a.get("class") or "") for _, a in page.elements if a.get("id") == "vpn-dot")


async def test_who_has_a_file_and_is_not_connected_is_told_to_start_the_client(player):
    card = await card_of(player, "wz01")
    assert "Not connected" in card
    assert "Start your VPN client" in card
    assert "New configuration" in card


async def test_who_never_asked_is_told_that_the_file_is_made_then_and_has_nothing_to_renew(player):
    card = await card_of(player, "wz02")
    assert "Your file is made when you ask for it the first time." in card
    assert "OpenVPN" in card
    assert "New configuration" not in card
    assert "QR code" not in card


async def test_an_old_gate_tells_nothing_and_renews_nothing(player):
    card = await card_of(player, "attic")
    assert "This gate does not tell who is connected." in card
    assert "New configuration" not in card


async def test_a_gate_that_is_away_is_told_of_and_nothing_is_claimed(player):
    card = await card_of(player, "matrix")
    assert "The gate does not answer at the moment" in card
    assert "Connected" not in card


async def test_a_full_gate_is_told_of(player):
    assert "The gate is full" in await card_of(player, "orbit")


async def test_who_is_cut_off_is_told_so_and_offered_nothing(player, world):
    await gated.keep_out(world, gated.CASE)
    card = await card_of(player, "wz01")
    assert "An organiser has cut you off from this realm." in card
    assert "Download" not in card
    assert (await player.get("/realms/wz01/vpn")).status_code == 403
    answer = await player.get("/realms/wz01/vpn/qr")
    assert answer.status_code == 403
    assert "<svg" not in Page(answer.text).text
    assert "PrivateKey" not in answer.text


async def test_without_gates_nobody_needs_a_vpn_and_no_dot_is_shown(make_site, visit):
    page = await (await visit(make_site(), "case")).page("/vpn")
    assert "You need no VPN" in page.text
    assert [a["data-ways"] for _, a in page.elements if a.get("id") == "vpn-dot"] == ["0"]


async def test_the_box_says_whether_one_is_connected_to_its_realm_and_gives_the_file(player, world):
    page = await player.page("/boxes/straylight")
    assert "You are not connected to wz01" in page.text
    assert "/realms/wz01/vpn" in page.addresses
    await gated.connect(world, "case")
    part = await player.get("/boxes/straylight/machine", **{"HX-Request": "true"})
    assert "Connected to wz01" in part.text
    assert "You are not connected" not in part.text


async def test_the_choice_of_a_realm_says_to_which_one_is_connected(player, world):
    await gated.connect(world, "case")
    text = " ".join((await player.page("/boxes/last-call")).text.split())
    assert re.search(r"wz01 ?connected.*wz02 ?not connected", text)


async def test_a_code_is_drawn_and_never_kept(player):
    for headers in ({}, {"HX-Request": "true"}):
        answer = await player.get("/realms/wz01/vpn/qr", **headers)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert "PrivateKey" not in answer.text
        page = Page(answer.text)
        assert page.unsafe() == []
        assert any(tag == "svg" and a.get("viewbox") for tag, a in page.elements)
    assert (await player.get("/realms/wz01/vpn")).headers["cache-control"] == "no-store"


async def test_a_code_that_cannot_be_had_says_why(player):
    answer = await player.get("/realms/matrix/vpn/qr", **{"HX-Request": "true"})
    assert answer.status_code == 503
    assert answer.headers["x-fragment"] == "1"
    assert "The VPN gate of matrix reported an error." in answer.text
    assert (await player.get("/realms/nowhere/vpn/qr")).status_code == 404


async def test_a_new_configuration_is_asked_for_with_what_it_does_and_then_told(player, network, monkeypatch):
    asked = []

    async def renew(self, realm, gate_name, memory):
        asked.append((realm, gate_name))
        return await self.access(realm, gate_name, memory)

    monkeypatch.setattr("chatsubo.gates.Gates.renew", renew)
    assert "ends at once" in await card_of(player, "wz01")
    answer = await player.send("/vpn", RENEW)
    assert (answer.status_code, answer.headers["location"]) == (303, "/vpn?renewed=wz01")
    assert "You have a new configuration" in (await player.page("/vpn?renewed=wz01")).text
    part = await player.send("/vpn", RENEW, script=True)
    assert part.headers["x-fragment"] == "1"
    assert "You have a new configuration" in part.text
    assert asked == [("wz01", "case")] * 2


async def test_a_new_configuration_that_is_refused_says_why_in_its_card(player, network):
    del network.gates["guard.example"]
    answer = await player.send("/vpn", RENEW, script=True)
    assert answer.status_code == 503
    assert answer.headers["x-fragment"] == "1"
    assert "The VPN gate of wz01 reported an error." in answer.text


async def test_a_new_configuration_needs_a_form_of_ours(player):
    assert (await player.post(RENEW, {})).status_code == 403


async def test_nobody_gets_the_configuration_of_somebody_else(site, visit, player, network, world):
    """The account comes from the login alone: whatever an organiser or another player asks for is their own."""
    await world.game.accounts.register("linda lee", "correct horse", client=Client("192.0.2.9"))
    others = [await visit(site, name) for name in ("finn", "linda lee")]
    mine = (await player.get("/realms/wz01/vpn")).text
    for visitor in others:
        for query in ("", "?username=case", "?account_id=2", "?gate_name=case"):
            theirs = await visitor.get(f"/realms/wz01/vpn{query}")
            assert theirs.status_code == 200
            assert "key-of-case" not in theirs.text
            assert theirs.text != mine
    assert "key-of-case" in mine


async def test_what_nobody_may_see_without_a_login_asks_for_one(site, visit):
    nobody = await visit(site)
    for path in ("/vpn", "/vpn/dot", "/realms/wz01/vpn", "/realms/wz01/vpn/qr"):
        answer = await nobody.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/login?next=/"), path


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_pages_about_gates_are_well_formed_and_run_nothing_of_their_own(site, visit, world, language):
    await gated.connect(world, "case")
    await gated.keep_out(world, gated.RIVIERA)
    for name, paths in (
        ("case", ("/vpn", "/vpn?renewed=wz01", "/realms/wz01/vpn/qr", *PLAYED)),
        ("finn", ("/admin/gates", "/admin/gates?q=a")),
    ):
        visitor = await visit(site, name, **{"accept-language": language})
        for path in paths:
            answer = await visitor.get(path)
            page = Page(answer.text)
            assert answer.status_code == 200, path
            assert page.mistakes == [], path
            assert page.unsafe() == [], path
            ids = [a["id"] for _, a in page.elements if a.get("id")]
            assert len(ids) == len(set(ids)), path
