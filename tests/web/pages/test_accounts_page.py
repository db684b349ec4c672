"""Everybody's accounts as organisers see them."""

import pytest

from chatsubo.domain.sessions import State
from tests.web.pages.reading import Page

ACCOUNTS = "/admin/accounts"
CASE, FINN, MOLLY = 2, 1, 10
BAN, LIFT = f"{ACCOUNTS}/{CASE}/ban", f"{ACCOUNTS}/{CASE}/lift"
WHY = "Scanned <b>everybody</b>."


def plain(page: Page) -> str:
    return " ".join(page.text.split())


async def test_an_account_is_banned_after_a_question_and_let_in_again(organiser):
    found = f"{ACCOUNTS}?q=case&only=&page=1"
    assert "case is logged out at once" in plain(await organiser.page(found))

    answer = await organiser.send(found, BAN, reason=WHY)

    assert (answer.status_code, answer.headers["location"]) == (303, f"{ACCOUNTS}?q=case&page=1")
    page = await organiser.page(f"{ACCOUNTS}?only=banned")
    assert WHY in page.text
    assert BAN not in page.addresses
    part = await organiser.send(f"{ACCOUNTS}?only=banned", LIFT, script=True)
    assert part.headers["x-fragment"] == "1"
    assert "Nobody is banned" in part.text


async def test_who_is_banned_is_logged_out_and_told_why_at_the_next_login(site, visit, organiser):
    player, elsewhere = await visit(site, "case"), await visit(site)
    await organiser.send(f"{ACCOUNTS}?q=case", BAN, reason=WHY)

    assert (await player.get("/tracks")).headers["location"] == "/login?next=/tracks"
    answer = await elsewhere.send("/login", "/login", username="case", password="correct horse")
    assert answer.status_code == 403
    assert f"This account is banned. The organisers say: {WHY}" in Page(answer.text).text
    wrong = await elsewhere.send("/login", "/login", username="case", password="a wrong one")
    assert "banned" not in wrong.text


async def test_a_ban_stops_machines_and_takes_the_player_off_the_lists(organiser, world, evening):
    await organiser.send(f"{ACCOUNTS}?q=case", BAN, reason=WHY)

    assert {one.state for one in await world.game.play.sessions(evening.player)} == {State.STOPPING}
    assert "case" not in plain(await organiser.page("/users?q=case")).split()
    assert "Banned" in plain(await organiser.page("/users/case"))


async def test_a_ban_without_a_reason_is_refused_and_says_so(organiser):
    for script in (False, True):
        answer = await organiser.send(f"{ACCOUNTS}?q=case", BAN, reason=" ", script=script)
        assert answer.status_code == 422
        assert "Say why: the player is shown it." in Page(answer.text).text


async def test_an_organiser_finds_no_way_to_ban_themselves(organiser):
    page = await organiser.page(f"{ACCOUNTS}?q=finn")
    own = f"{ACCOUNTS}/{FINN}/ban"
    assert own not in page.addresses
    token = (await organiser.page("/settings")).form("/settings/password").fields["_csrf_token"]
    answer = await organiser.post(own, {"_csrf_token": token, "reason": WHY})
    assert answer.status_code == 409
    assert "You cannot ban yourself." in Page(answer.text).text


async def test_players_neither_see_accounts_nor_ban_anybody(player):
    assert (await player.get(ACCOUNTS)).status_code == 403
    token = (await player.page("/settings")).form("/settings/password").fields["_csrf_token"]
    for act in (f"{ACCOUNTS}/{MOLLY}/ban", LIFT):
        assert (await player.post(act, {"_csrf_token": token, "reason": WHY})).status_code == 403


async def test_a_long_list_has_pages(organiser, monkeypatch):
    monkeypatch.setattr("chatsubo.game.account_admin.PAGE", 7)
    first = await organiser.page(ACCOUNTS)
    assert "Page 1 of 3" in plain(first)
    (following,) = [one for one in first.addresses if one.endswith("page=2")]
    assert "Page 2 of 3" in plain(await organiser.page(following))
    for odd in ("0", "-1", "999999999", "x"):
        assert (await organiser.get(f"{ACCOUNTS}?page={odd}")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", f"/api/v1/admin/accounts/{CASE}/ban", {"reason": "Cheated."}, 204),
        ("PUT", f"/api/v1/admin/accounts/{CASE}/ban", {"reason": ""}, 422),
        ("PUT", f"/api/v1/admin/accounts/{CASE}/ban", {}, 422),
        ("PUT", f"/api/v1/admin/accounts/{FINN}/ban", {"reason": "Me."}, 409),
        ("PUT", "/api/v1/admin/accounts/999/ban", {"reason": "Nobody."}, 404),
        ("DELETE", f"/api/v1/admin/accounts/{CASE}/ban", None, 204),
        ("DELETE", "/api/v1/admin/accounts/999/ban", None, 404),
        ("GET", "/api/v1/admin/accounts?only=nonsense", None, 422),
        ("GET", "/api/v1/admin/accounts?page=0", None, 422),
        ("GET", "/api/v1/admin/accounts?only=active&q=mol", None, 200),
    ],
)
async def test_the_api_does_the_same_for_organisers_alone(organiser, player, *, method, path, body, status):
    assert (await player.browser.send(method, path, json=body)).status_code in {403, 422}
    assert (await organiser.browser.send(method, path, json=body)).status_code == status


async def test_the_api_tells_a_program_that_it_is_banned(site, organiser):
    await organiser.browser.send("PUT", f"/api/v1/admin/accounts/{CASE}/ban", json={"reason": "Cheated."})
    answer = await site.browser().log_in("case")
    assert (answer.status_code, answer.json()["code"]) == (403, "banned")
    assert "Cheated." in answer.json()["detail"]
    (row,) = (await organiser.browser.get("/api/v1/admin/accounts?only=banned")).json()["accounts"]
    assert (row["username"], row["ban_reason"]) == ("case", "Cheated.")
