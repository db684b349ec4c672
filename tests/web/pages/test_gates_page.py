"""The gates as organisers see them."""

import pytest

from chatsubo.store.gate_reports import GateReport, save_gate_report
from tests.unit.gates.gate import gate
from tests.web.pages import gated
from tests.web.pages.reading import Page

GATES = "/admin/gates"
CUT_OFF = f"{GATES}/wz01/players/{gated.MOLLY}/cut-off"
LET_IN = f"{GATES}/wz01/players/{gated.MOLLY}/let-in"


@pytest.fixture
async def site(make_site, world):
    """A site with a gate of every kind."""
    await gated.begin(world)
    return make_site(gates=gated.GATES)


def plain(page: Page) -> str:
    return " ".join(page.text.split())


async def test_each_gate_says_how_it_is_and_how_many_places_are_left(organiser):
    text = plain(await organiser.page(GATES))
    assert "12 of 253 places taken" in text
    assert "241 free" in text
    assert "Full: nobody else gets in." in text
    assert "no answer within 5 seconds" in text


async def test_the_desk_names_gates_that_need_attention_and_no_others(organiser, world):
    desk = await organiser.page("/admin")
    assert "The VPN gate of matrix cannot be usedno answer within 5 seconds" in plain(desk)
    assert "The VPN gate of orbit is fullNobody else gets in." in plain(desk)
    assert plain(desk).count("The VPN gate of") == 2
    assert GATES in desk.addresses

    async with world.db.write() as tx:
        await save_gate_report(tx, GateReport(url=gated.OPEN, seen_at=world.clock(), problem="<tun0> is down"))
    desk = await organiser.page("/admin")
    assert "The VPN gate of wz02 is not well<tun0> is down" in plain(desk)


async def test_a_full_gate_is_no_trouble_while_its_realm_has_another(make_site, world, visit):
    await gated.begin(world)
    second = gate("guard.example", "orbit")
    organiser = await visit(make_site(gates=(*gated.GATES, second)), "finn")
    assert "is full" not in plain(await organiser.page("/admin"))


async def test_the_desk_speaks_french_of_gates(organiser):
    french = Page((await organiser.get("/admin", **{"Accept-Language": "fr"})).text)
    assert "La passerelle VPN de matrix est inutilisable" in plain(french)
    assert "La passerelle VPN de orbit est pleine" in plain(french)


async def test_an_old_gate_is_marked_as_one_without_access_control(organiser):
    text = plain(await organiser.page(GATES))
    assert text.count("No access control: everybody on this VPN reaches everything") == 1


async def test_who_is_connected_is_shown_with_how_much_was_sent(organiser, world):
    await gated.connect(world, "p10", received=999, sent=1_420_000_000)
    text = plain(await organiser.page(GATES))
    assert "molly" in text
    assert "999 B" in text
    assert "1.4 GB" in text
    assert "armitage" not in text


async def test_who_is_not_connected_is_found_by_name(organiser):
    text = plain(await organiser.page(f"{GATES}?q=ARMI"))
    assert "armitage" in text
    assert "not connected" in text
    assert "riviera" not in text


async def test_whose_an_address_is_is_found_after_the_connection_too(organiser, world):
    await gated.connect(world, "p10", addresses="10.66.0.7 fd66::7")
    await gated.connect(world, "p11", addresses="10.66.0.70")
    assert "10.66.0.70" in plain(await organiser.page(GATES))
    await gated.disconnect(world, "p10")
    for address in ("10.66.0.7", "%20FD66:0:0::7"):
        text = plain(await organiser.page(f"{GATES}?q={address}"))
        assert ("molly" in text, "armitage" in text, "not connected" in text) == (True, False, True)
    answer = (await organiser.browser.get("/api/v1/admin/gates")).json()
    found = {one["username"]: one["addresses"] for gate in answer for one in gate["players"]}
    assert (found["molly"], found["armitage"]) == (["10.66.0.7", "fd66::7"], ["10.66.0.70"])
    assert "Nobody of that name or address" in plain(await organiser.page(f"{GATES}?q=10.66.0.8"))


async def test_a_player_is_cut_off_after_a_question_and_let_in_again(organiser, world):
    await gated.connect(world, "p10")
    assert "molly reaches nothing in wz01 from now on" in plain(await organiser.page(GATES))
    assert (await organiser.send(GATES, CUT_OFF)).status_code == 303
    page = await organiser.page(GATES)
    assert "Access cut off" in page.text
    assert CUT_OFF not in page.addresses
    part = await organiser.send(GATES, LET_IN, script=True)
    assert part.headers["x-fragment"] == "1"
    assert LET_IN not in Page(part.text).addresses


async def test_players_neither_see_gates_nor_cut_anybody_off(player):
    assert (await player.get(GATES)).status_code == 403
    token = (await player.page("/settings")).form("/settings/password").fields["_csrf_token"]
    for act in (CUT_OFF, LET_IN):
        assert (await player.post(act, {"_csrf_token": token})).status_code == 403


async def test_an_organiser_needs_a_form_of_ours(organiser):
    assert (await organiser.post(CUT_OFF, {})).status_code == 403


async def test_what_a_gate_says_is_text(organiser, world):
    """A gate's words come from another machine: they may be anything."""
    await gated.connect(world, "<script>alert(1)</script>"[:32])
    answer = await organiser.get(GATES)
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text


async def test_no_configuration_is_on_the_organisers_page(organiser, world):
    await gated.connect(world, "case")
    page = await organiser.page(GATES)
    assert not [one for one in page.addresses if one.endswith("/vpn") and "/realms/" in one]


async def test_without_gates_the_page_says_where_they_are_named(make_site, visit):
    page = await (await visit(make_site(), "finn")).page(GATES)
    assert "No gates" in page.text
