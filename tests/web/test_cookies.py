"""The login's cookie: as strict as its address allows, and nothing else logs anybody in."""

from http.cookies import SimpleCookie

import httpx
import pytest

from chatsubo.config.models import Server
from chatsubo.config.secrets import Secret
from chatsubo.web.logins import safe_next
from chatsubo.web.settings import InsecureAddress, WebSettings
from tests.game.world import PASSWORD
from tests.web.conftest import MakeSite
from tests.web.site import AT_PREFIX, AT_ROOT, PLAIN, settings


def _cookies(answer: httpx.Response) -> SimpleCookie:
    jar: SimpleCookie = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        jar.load(header)
    return jar


@pytest.mark.parametrize(
    ("public_url", "name", "path", "secure"),
    [
        (AT_ROOT, "__Host-chatsubo", "/", True),
        (AT_PREFIX, "__Secure-chatsubo", "/ctf", True),
        (PLAIN, "chatsubo", "/", ""),
        (f"{PLAIN}/ctf", "chatsubo", "/ctf", ""),
    ],
)
async def test_the_cookie_is_as_strict_as_its_address_allows(
    make_site: MakeSite, public_url: str, name: str, path: str, secure: bool | str
) -> None:
    browser = make_site(public_url).browser()
    answer = await browser.post("/api/v1/register", {"username": "case", "password": PASSWORD})

    cookie = _cookies(answer)[name]

    assert (cookie["path"], cookie["secure"], cookie["httponly"]) == (path, secure, True)
    assert cookie["samesite"].lower() == "lax"
    assert cookie["domain"] == ""
    assert int(cookie["max-age"]) == 14 * 24 * 3600


@pytest.mark.parametrize("public_url", [AT_ROOT, AT_PREFIX, PLAIN])
async def test_a_login_holds_at_every_address(make_site: MakeSite, public_url: str) -> None:
    case = await make_site(public_url).player("case")

    assert (await case.get("/api/v1/me")).json()["username"] == "case"


async def test_a_cookie_without_its_prefix_logs_nobody_in_over_https(make_site: MakeSite) -> None:
    site = make_site(AT_ROOT)
    case = await site.player("case")

    answer = await site.browser(Cookie=f"chatsubo={case.token}").get("/api/v1/me")

    assert answer.status_code == 401


@pytest.mark.parametrize("value", ["", "x", "é", "x" * 5000, '"', "%00", "a=b=c", "\x80"])
async def test_a_cookie_of_any_other_shape_logs_nobody_in(make_site: MakeSite, value: str) -> None:
    browser = make_site(AT_ROOT).browser()

    answer = await browser.get("/api/v1/me", headers=[(b"cookie", b"__Host-chatsubo=" + value.encode("utf-8"))])

    assert answer.status_code == 401


async def test_no_cookie_but_the_csrf_one_is_set_for_a_visitor(make_site: MakeSite) -> None:
    answer = await make_site(AT_ROOT).browser().get("/api/v1/csrf")

    assert set(_cookies(answer)) == {"__Host-chatsubo-csrf"}


def test_plain_http_is_refused_with_what_to_do() -> None:
    with pytest.raises(InsecureAddress, match=r"server\.allow_insecure_http"):
        WebSettings.from_server(Server(), Secret("x"))


def test_the_demo_and_who_says_so_may_use_plain_http() -> None:
    assert not WebSettings.from_server(Server(), Secret("x"), demo=True).secure
    assert not WebSettings.from_server(Server(url=PLAIN, allow_insecure_http=True), Secret("x")).secure


@pytest.mark.parametrize("wanted", ["/ctf/boxes/hello", "/ctf/boxes?track=web&x=%C3%A9", "/ctf", "/ctf/"])
def test_a_login_leads_back_to_where_one_was(wanted: str) -> None:
    assert safe_next(settings(AT_PREFIX), wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "",
        "https://evil.example/ctf/",
        "//evil.example/ctf/",
        "///evil.example/ctf/",
        "/\\evil.example/ctf/",
        "/ctf/\\..\\..\\evil",
        "/%5cevil.example",
        "\t//evil.example",
        "/ctf/\n/x",
        "javascript:alert(1)",
        "ctf/boxes",
        "/other",
        "/ctfx",
        "/ctf/../other",
        "/ctf/%2e%2e/other",
        "//[evil",
        "/ctf/é",
        "/ctf/" + "x" * 600,
    ],
)
def test_a_login_never_leads_elsewhere(wanted: str | None) -> None:
    assert safe_next(settings(AT_PREFIX), wanted) == "/ctf/"
