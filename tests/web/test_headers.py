"""What every answer carries."""

import pytest

from tests.web.conftest import MakeSite
from tests.web.site import AT_PREFIX, PLAIN, Site

PATHS = ["/api/v1/csrf", "/api/v1/me", "/login", "/nothing", "/healthz", "/static/nothing.js"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_carries_the_safe_headers(site: Site, path: str) -> None:
    headers = (await site.browser().get(path)).headers

    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["strict-transport-security"].startswith("max-age=")
    assert len(headers["x-request-id"]) == 16


async def test_plain_http_promises_no_https(make_site: MakeSite) -> None:
    headers = (await make_site(PLAIN).browser().get("/healthz")).headers

    assert "strict-transport-security" not in headers


async def test_what_a_logged_in_person_sees_is_kept_by_no_cache(site: Site) -> None:
    case = await site.player()

    assert (await case.get("/api/v1/me")).headers["cache-control"] == "no-store"
    assert (await case.get("/api/v1/standings")).headers["cache-control"] == "private, no-cache"
    assert (await site.browser().get("/api/v1/csrf")).headers["cache-control"] == "private, no-cache"


async def test_no_stranger_reads_the_api_from_another_site(site: Site) -> None:
    case = await site.player()

    answer = await case.get("/api/v1/me", headers={"Origin": "https://evil.example"})

    assert "access-control-allow-origin" not in answer.headers


async def test_everything_is_below_the_prefix_and_nothing_beside_it(make_site: MakeSite) -> None:
    site = make_site(AT_PREFIX)
    case = await site.player()

    assert (await case.get("/api/v1/me")).status_code == 200
    assert (await case.get("/healthz")).status_code == 200
    assert (await case.http.get("https://club.example/api/v1/me")).status_code == 404
    assert (await case.http.get("https://club.example/")).status_code == 404


async def test_the_description_of_the_api_names_every_address_and_its_errors(make_site: MakeSite) -> None:
    answer = await make_site(AT_PREFIX).browser().get("/api/openapi.json")
    paths = answer.json()["paths"]

    assert answer.status_code == 200
    assert all(path.startswith("/ctf/api/v1/") for path in paths)
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
    statuses = paths["/ctf/api/v1/submissions"]["post"]["responses"]
    assert set(statuses) >= {"200", "401", "413", "422", "429"}
    assert "application/problem+json" in statuses["422"]["content"]


async def test_no_page_of_the_description_loads_anything_from_elsewhere(site: Site) -> None:
    for path in ("/api", "/api/swagger", "/api/redoc", "/schema", "/docs"):
        assert (await site.browser().get(path)).status_code == 404, path
