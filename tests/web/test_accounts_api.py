"""Accounts over the API."""

import pytest

from tests.game.world import PASSWORD
from tests.web.site import Site


async def test_who_registers_is_logged_in(site: Site) -> None:
    case = await site.player("case")

    me = (await case.get("/api/v1/me")).json()

    assert me["username"] == "case"
    assert (me["score"], me["rank"]) == (0, None)


async def test_each_request_acts_as_the_account_that_is_logged_in(site: Site) -> None:
    case, molly = await site.player("case"), await site.player("molly")

    assert (await case.get("/api/v1/me")).json()["username"] == "case"
    assert (await molly.get("/api/v1/me")).json()["username"] == "molly"


async def test_a_logout_ends_the_login_on_the_server_too(site: Site) -> None:
    case = await site.player("case")
    thief = site.browser(Cookie=f"__Host-chatsubo={case.token}")
    assert (await thief.get("/api/v1/me")).status_code == 200

    assert (await case.post("/api/v1/logout")).status_code == 204

    assert (await case.get("/api/v1/me")).status_code == 401
    assert (await thief.get("/api/v1/me")).status_code == 401


async def test_a_login_brings_a_new_token_and_ends_the_one_before(site: Site) -> None:
    case = await site.player("case")
    first = case.token

    await case.log_in("case")

    assert case.token != first
    assert (await site.browser(Cookie=f"__Host-chatsubo={first}").get("/api/v1/me")).status_code == 401


async def test_a_wrong_password_and_an_unknown_name_are_told_apart_by_nobody(site: Site) -> None:
    await site.player("case")
    browser = site.browser()

    wrong = await browser.log_in("case", "not the password")
    unknown = await browser.log_in("nobody", "not the password")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["code"] == "bad-credentials"


async def test_a_new_password_ends_all_other_logins(site: Site) -> None:
    case, elsewhere = await site.player("case"), site.browser()
    await elsewhere.log_in("case")

    answer = await case.send("PUT", "/api/v1/me/password", json={"current": PASSWORD, "new": "neuromancer!"})

    assert answer.status_code == 204
    assert (await case.get("/api/v1/me")).status_code == 200
    assert (await elsewhere.get("/api/v1/me")).status_code == 401
    assert (await site.browser().log_in("case", "neuromancer!")).status_code == 200


async def test_logins_are_listed_and_can_be_ended_one_by_one(site: Site) -> None:
    case, phone = await site.player("case"), site.browser(**{"User-Agent": "a phone"})
    await phone.log_in("case")

    logins = (await case.get("/api/v1/me/logins")).json()
    other = next(login for login in logins if not login["current"])

    assert len(logins) == 2
    assert other["browser"] == "a phone"
    assert (await case.send("DELETE", f"/api/v1/me/logins/{other['id']}")).status_code == 204
    assert (await phone.get("/api/v1/me")).status_code == 401


async def test_nobody_ends_the_login_of_somebody_else(site: Site) -> None:
    case, molly = await site.player("case"), await site.player("molly")
    login = (await case.get("/api/v1/me/logins")).json()[0]["id"]

    assert (await molly.send("DELETE", f"/api/v1/me/logins/{login}")).status_code == 404
    assert (await case.get("/api/v1/me")).status_code == 200


async def test_the_chosen_language_wins_over_the_browsers(site: Site) -> None:
    case = await site.player("case")
    await case.send("PUT", "/api/v1/me/preferences", json={"language": "fr", "theme": "light"})

    answer = await case.get("/api/v1/boxes/none", headers={"Accept-Language": "en"})

    assert answer.headers["content-language"] == "fr"


@pytest.mark.parametrize(
    ("username", "password", "field"), [("x" * 33, PASSWORD, "username"), ("case", "short", "password")]
)
async def test_a_refused_field_is_named(site: Site, username: str, password: str, field: str) -> None:
    answer = await site.browser().post("/api/v1/register", {"username": username, "password": password})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_too_many_tries_say_when_to_come_back(site: Site) -> None:
    browser = site.browser()
    answer = await browser.log_in("case", "wrong password")
    while answer.status_code == 401:
        answer = await browser.log_in("case", "wrong password")

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) == answer.json()["retry_after"] > 0
