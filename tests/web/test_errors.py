"""Errors: one status each, told to programs as problem details and to people as pages, without a stack trace."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from chatsubo.domain import errors
from chatsubo.domain.errors import ChatsuboError, RateLimited, StorageFull, Unavailable
from chatsubo.gates import errors as gate_errors
from chatsubo.i18n import translator
from chatsubo.web import refusals
from chatsubo.web.errors import STATUSES, TITLES, problem_of, status_of
from tests.web.conftest import MakeSite
from tests.web.site import AT_PREFIX, Site

JSON = {"Content-Type": "application/json"}


def _classes() -> Iterator[type[ChatsuboError]]:
    for module in (errors, refusals, gate_errors):
        for _, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, ChatsuboError):
                yield found


@pytest.mark.parametrize("cls", sorted(set(_classes()), key=str))
def test_every_error_has_a_status_of_its_kind_and_a_title(cls: type[ChatsuboError]) -> None:
    status = next(STATUSES[base] for base in cls.__mro__ if base in STATUSES)

    assert status in TITLES
    assert (status == 500) == (cls in {ChatsuboError, refusals.Broken})


def test_a_problem_says_when_to_come_back() -> None:
    problem = problem_of(RateLimited(30), translator("en"))

    assert (problem.status, problem.retry_after, problem.code) == (429, 30, "rate-limited")
    assert problem.detail == "Too many tries. Try again in 30 s."


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"username": "\xff", "password": "x"}',
        b'{"username": "\\ud800"}',
        b"[" * 100_000,
        b'{"username": ' + b"[" * 100_000,
    ],
)
async def test_a_body_that_is_no_such_object_is_refused(site: Site, body: bytes) -> None:
    answer = await site.browser().post("/api/v1/login", content=body, headers=JSON)

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] in {"malformed", "invalid"}


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        ({"username": 1, "password": "x"}, "username", "This is of the type int; expected was str."),
        ({"username": None, "password": "x"}, "username", "This is of the type null; expected was str."),
        ({"username": "x" * 300, "password": "x"}, "username", "This is too long: its length is at most 256."),
        ({"username": "a\0b", "password": "x"}, "username", "This holds characters that are not allowed here."),
        ({"password": "x"}, "username", "This is missing."),
        ({"username": "x", "password": "x", "role": "admin"}, "role", "There is no such field."),
        ([1], "", "This is of the type array; expected was object."),
    ],
)
async def test_a_field_of_another_kind_is_named(site: Site, body: Any, field: str, detail: str) -> None:
    answer = await site.browser().post("/api/v1/login", body)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": field, "detail": detail}]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=0", "C\u2019est trop petit\xa0: au moins 1."),
        ("limit=201", "C\u2019est trop grand\xa0: au plus 200."),
        ("limit=x", "Le type est str\xa0; int était attendu."),
    ],
)
async def test_what_is_wrong_with_a_query_is_said_in_the_readers_language(site: Site, query: str, detail: str) -> None:
    await site.player("case")
    case = site.browser(**{"accept-language": "fr"})
    await case.log_in("case")

    (error,) = (await case.get(f"/api/v1/notices?{query}")).json()["errors"]

    assert error == {"field": "limit", "detail": detail}


async def test_a_field_within_a_list_is_named_as_the_game_names_it(site: Site) -> None:
    finn = await site.organiser()

    answer = await finn.post("/api/v1/admin/boxes", {"name": "x", "flags": [{"name": "a"}, {"points": 1}]})

    assert [error["field"] for error in answer.json()["errors"]] == ["flags.1.name"]


async def test_a_refusal_never_repeats_a_password(site: Site) -> None:
    answer = await site.browser().post("/api/v1/login", {"username": 1, "password": "hunter2 hunter2"})

    assert "hunter2" not in answer.text


@pytest.mark.parametrize("value", ["x" * 5000, "", "a\0b", "\n", "\u202e" * 600])
async def test_a_flag_that_can_be_none_is_refused(site: Site, value: str) -> None:
    case = await site.player()

    answer = await case.post("/api/v1/submissions", {"value": value})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"]


@pytest.mark.parametrize("size", [100_000, 1_000_000, 5_000_000])
async def test_a_flag_of_a_megabyte_is_too_large(site: Site, size: int) -> None:
    case = await site.player()

    answer = await case.post("/api/v1/submissions", {"value": "x" * size})

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize("path", ["/api/v1/boxes/%00", "/api/v1/boxes?track=%00", "/api/v1/users?search=a%00b"])
async def test_nul_characters_in_an_address_are_refused(site: Site, path: str) -> None:
    case = await site.player()

    assert (await case.get(path)).status_code == 400


@pytest.mark.parametrize("path", ["/api/v1/boxes/%ff%fe", "/api/v1/users/%F0%9F%92%A9", "/api/v1/standings?track=%ff"])
async def test_odd_characters_in_an_address_are_not_found(site: Site, path: str) -> None:
    case = await site.player()

    assert (await case.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/notices?limit=0", "/api/v1/notices?limit=x", "/api/v1/notices?limit=1e99"])
async def test_a_number_out_of_range_is_refused(site: Site, path: str) -> None:
    case = await site.player()

    answer = await case.get(path)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "limit"


async def test_what_is_not_there_is_told_in_the_same_shape(site: Site) -> None:
    for path in ("/api/v1/nothing", "/api/nothing", "/api/v1/boxes/a/b/c"):
        answer = await site.browser().get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), path


async def test_a_method_that_an_address_does_not_know_is_told_with_those_it_does(site: Site) -> None:
    answer = await site.browser().send("PATCH", "/api/v1/login")

    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize(("error", "status"), [(Unavailable(), 503), (StorageFull(), 507)])
async def test_a_database_that_is_away_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: ChatsuboError, status: int
) -> None:
    case = await site.player()

    async def away(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(type(site.world.game.accounts), "authenticate", away)

    answer = await case.get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (status, error.code)
    page = await case.get("/nowhere")
    assert page.status_code in {404, status}
    assert page.headers["content-type"].startswith("text/html")


async def test_a_mistake_of_ours_is_told_by_its_number_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = await site.player()

    async def broken(*_: object) -> None:
        secret = "the secret"  # noqa: F841  must not be told
        raise RuntimeError("inner workings")

    monkeypatch.setattr(type(site.world.game.catalogue), "tracks", broken)
    answer = await case.get("/api/v1/tracks")

    incident = answer.json()["incident"]
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == incident
    assert "inner workings" not in answer.text
    assert "Traceback" not in answer.text
    assert incident in capsys.readouterr().out


async def test_errors_are_told_in_the_readers_language(site: Site) -> None:
    browser = site.browser(**{"Accept-Language": "de, fr-CA;q=0.8, en;q=0.5"})

    assert (await browser.get("/api/v1/me")).headers["content-language"] == "fr"
    assert (await site.browser().get("/api/v1/me")).headers["content-language"] == "en"


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/boxes/hello?tab=1", "/ctf/login?next=/ctf/boxes/hello%3Ftab%3D1"),
        ("/settings", "/ctf/login?next=/ctf/settings"),
    ],
)
async def test_a_page_that_needs_a_login_leads_there_and_back(make_site: MakeSite, path: str, location: str) -> None:
    answer = await make_site(AT_PREFIX).browser().get(path)

    assert (answer.status_code, answer.headers["location"]) == (303, location)


async def test_a_part_of_a_page_leads_the_whole_page_to_the_login(site: Site) -> None:
    answer = await site.browser().get(
        "/boxes/hello", headers={"HX-Request": "true", "HX-Current-URL": "https://ctf.example/boxes/hello?x=1"}
    )

    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/login?next=/boxes/hello%3Fx%3D1"


@pytest.mark.parametrize("path", ["/nothing", "/a/b/c", "/boxes/none/none/none"])
async def test_a_page_that_is_not_there_is_a_page(site: Site, path: str) -> None:
    answer = await (await site.player()).get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "case" in answer.text


def test_the_status_of_a_class_is_that_of_the_nearest_above() -> None:
    assert status_of(errors.TooManyRunning(limit=1)) == 409
    assert status_of(gate_errors.RealmFull("x", realm="wz01")) == 503
    assert status_of(gate_errors.NoGate()) == 404


async def test_a_page_whose_own_address_makes_no_sense_is_sent_to_the_login(site: Site) -> None:
    headers = {"HX-Request": "true", "HX-Current-Url": "https://[ctf.example/boxes"}

    answer = await site.browser().get("/boxes/cards", headers=headers)

    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")
