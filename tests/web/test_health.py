"""What probes and Prometheus are told."""

import pytest

from chatsubo.config.secrets import Secret
from chatsubo.web.health import Part, Vitals
from tests.web.conftest import MakeSite
from tests.web.site import Site


async def test_a_living_process_says_so_whatever_else_is_down(site: Site) -> None:
    site.lab.vitals = Vitals({"database": Part(ok=False)})

    answer = await site.browser().get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "set-cookie" not in answer.headers


async def test_a_server_is_ready_when_all_of_its_parts_are(site: Site) -> None:
    answer = await site.browser().get("/readyz")

    assert (answer.status_code, answer.json()["ready"]) == (200, True)


async def test_a_part_that_is_away_is_named(site: Site) -> None:
    site.lab.vitals = Vitals({"database": Part(ok=True), "lab": Part(ok=False, detail="not started")})

    answer = await site.browser().get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "parts": {"database": {"ok": True, "detail": ""}, "lab": {"ok": False, "detail": "not started"}},
    }


async def test_a_provider_that_is_down_does_not_make_the_server_unready(site: Site) -> None:
    site.lab.vitals = Vitals({"database": Part(ok=True)}, providers={"lab": False})

    assert (await site.browser().get("/readyz")).status_code == 200


async def test_the_figures_tell_of_requests_sessions_and_providers(site: Site) -> None:
    site.lab.vitals = Vitals({}, sessions={"running": 3}, providers={"lab": True, "pve": False})
    case = await site.player()
    await case.get("/api/v1/boxes/none")

    figures = (await site.browser().get("/metrics")).text

    assert 'chatsubo_http_requests_total{method="GET",route="/api/v1/boxes/{slug}",status="404"} 1.0' in figures
    assert 'chatsubo_sessions{state="running"} 3.0' in figures
    assert 'chatsubo_provider_up{provider="pve"} 0.0' in figures
    assert "chatsubo_live_listeners 0.0" in figures
    assert 'chatsubo_http_request_seconds_bucket{le="0.005",method="GET",route="/api/v1/boxes/{slug}"}' in figures


async def test_addresses_that_nobody_declared_do_not_swell_the_figures(site: Site) -> None:
    for number in range(5):
        await site.browser().get(f"/nothing/{number}/x/y")
        await site.browser().http.request(f"ODD{number}", "https://ctf.example/")

    figures = (await site.browser().get("/metrics")).text

    assert "/nothing/" not in figures
    assert "ODD" not in figures


@pytest.mark.parametrize("address", ["10.0.0.9", "192.0.2.1", "unix", ""])
async def test_other_machines_do_not_see_the_figures(site: Site, address: str) -> None:
    assert (await site.browser(address).get("/metrics")).status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_a_proxy_on_this_machine_does_not_pass_the_figures_on(site: Site, header: str) -> None:
    assert (await site.browser(**{header: "192.0.2.1"}).get("/metrics")).status_code == 403


async def test_the_configured_token_opens_the_figures(make_site: MakeSite) -> None:
    site = make_site(metrics_token=Secret("prometheus"))

    async def status(authorization: str) -> int:
        return (await site.browser("10.0.0.9", Authorization=authorization).get("/metrics")).status_code

    assert await status("Bearer prometheus") == 200
    assert [await status(wrong) for wrong in ("Bearer x", "prometheus", "")] == [403, 403, 403]
