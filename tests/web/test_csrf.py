"""Requests that a page of ours did not send are refused."""

import httpx
import pytest

from chatsubo.config.models import Server
from chatsubo.config.secrets import Secret
from chatsubo.web.settings import WebSettings
from tests.game.world import PASSWORD
from tests.web.conftest import MakeSite
from tests.web.site import AT_PREFIX, PLAIN, Browser, Site

LOGIN = "/api/v1/login"
CASE = {"username": "case", "password": PASSWORD}


async def test_a_request_without_the_token_is_refused(site: Site) -> None:
    case = await site.player("case")

    answer = await case.http.post("https://ctf.example/api/v1/logout")

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert (await case.get("/api/v1/me")).status_code == 200


@pytest.mark.parametrize(
    "token", ["", "x", "0" * 128, "0" * 5000, "é", "\x80" * 128], ids=["none", "x", "unsigned", "long", "e", "bytes"]
)
async def test_a_token_of_our_own_making_is_refused(site: Site, token: str) -> None:
    case = await site.player("case")

    answer = await case.http.post("https://ctf.example/api/v1/logout", headers=[(b"x-csrf-token", token.encode())])

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


async def test_the_token_of_another_browser_is_refused(site: Site) -> None:
    case, molly = await site.player("case"), await site.player("molly")
    stolen = (await molly.get("/api/v1/csrf")).json()["token"]

    answer = await case.http.post("https://ctf.example/api/v1/logout", headers={"X-CSRF-Token": stolen})

    assert answer.status_code == 403


@pytest.mark.parametrize("site_of_origin", ["cross-site", "same-site"])
async def test_a_browser_that_says_it_comes_from_elsewhere_is_refused(site: Site, site_of_origin: str) -> None:
    case = await site.player("case")

    answer = await case.post("/api/v1/logout", headers={"Sec-Fetch-Site": site_of_origin})

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://ctf.example.evil.example", "https://["])
async def test_a_foreign_origin_is_refused(site: Site, origin: str) -> None:
    case = await site.player("case")

    assert (await case.post("/api/v1/logout", headers={"Origin": origin})).status_code == 403


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "https://ctf.example"}])
async def test_our_own_pages_are_let_through(site: Site, headers: dict[str, str]) -> None:
    case = await site.player("case")

    assert (await case.post("/api/v1/logout", headers=headers)).status_code == 204


async def test_a_demo_may_be_visited_under_another_of_its_names(make_site: MakeSite) -> None:
    case = await make_site(PLAIN).player("case")

    answer = await case.post("/api/v1/logout", headers={"Host": "localhost:8080", "Origin": "http://localhost:8080"})

    assert answer.status_code == 204


async def test_a_form_carries_the_token_in_a_field(site: Site) -> None:
    await site.player("case")
    browser = site.browser()
    token = (await browser.get("/api/v1/csrf")).json()["token"]

    answer = await _post_form(browser, {"_csrf_token": token, "username": "case", "password": PASSWORD})

    assert answer.status_code != 403


@pytest.mark.parametrize("token", [None, "", ["a"] * 70], ids=["none", "empty", "many"])
async def test_a_form_without_it_is_refused(site: Site, token: object) -> None:
    browser = site.browser()
    await browser.get("/api/v1/csrf")

    assert (await _post_form(browser, {} if token is None else {"_csrf_token": token})).status_code == 403


async def test_a_multipart_form_is_refused_before_anything_decodes_it(site: Site) -> None:
    browser = site.browser()
    token = (await browser.get("/api/v1/csrf")).json()["token"]
    slow = ("x", b"a-" + b"kva" * 20_000, "text/plain; charset=punycode")

    answer = await browser.http.post(
        "https://ctf.example/login", files={"username": slow}, headers={"X-CSRF-Token": token}
    )

    assert answer.status_code == 415


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:9000", "[::1]:8080", "192.0.2.7"])
async def test_a_demo_answers_to_addresses_and_to_localhost(make_site: MakeSite, host: str) -> None:
    demo = make_site(PLAIN, is_local=True)

    assert (await demo.browser().get("/api/v1/csrf", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "[::1", "localhost.x"])
async def test_a_demo_does_not_answer_to_a_name_that_another_site_let_point_to_it(
    make_site: MakeSite, host: str
) -> None:
    demo = make_site(PLAIN, is_local=True)

    answer = await demo.browser().get("/api/v1/csrf", headers={"Host": host})

    assert (answer.status_code, answer.json()["code"]) == (421, "wrong-host")


def test_only_a_server_for_this_machine_minds_its_name() -> None:
    secret = Secret("signs")
    demo = Server(host="127.0.0.1", port=8080, allow_insecure_http=True)
    proxied = Server(host="127.0.0.1", port=8080, url="https://ctf.example")
    club = Server(host="0.0.0.0", port=8080, allow_insecure_http=True)

    assert WebSettings.from_server(demo, secret).is_local
    assert not WebSettings.from_server(proxied, secret).is_local
    assert not WebSettings.from_server(club, secret).is_local


async def test_a_cookie_signed_with_an_older_secret_is_replaced(site: Site) -> None:
    browser = site.browser()
    browser.http.cookies.set("__Host-chatsubo-csrf", "0" * 128, "ctf.example", "/")

    assert (await browser.log_in("case")).json()["code"] == "bad-credentials"


async def test_the_cookies_keep_to_their_prefix(make_site: MakeSite) -> None:
    browser = make_site(AT_PREFIX).browser()

    answer = await browser.get("/api/v1/csrf")

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Secure-chatsubo-csrf=")
    assert "Path=/ctf" in cookie
    assert "Secure" in cookie
    assert "HttpOnly" in cookie


async def _post_form(browser: Browser, fields: dict[str, object]) -> httpx.Response:
    return await browser.http.post("https://ctf.example/login", data=fields)
