"""Playing and organising over the API."""

import httpx
import pytest

from chatsubo.domain.labels import Flag
from tests.game.world import World
from tests.web.site import Browser, Site

BOX = {
    "template": "hello",
    "name": "Hello there",
    "description": "Say *hello*.",
    "new_track": "Web",
    "authors": ["Case"],
    "flags": [{"name": "user", "dynamic": True, "points": 100}, {"name": "fixed", "value": "FLAG{x}", "points": 50}],
}


async def test_a_player_goes_from_a_start_to_the_scoreboard(site: Site, world: World) -> None:
    slug = await world.release(await world.admin())
    case = await site.player("case")

    started = await case.post(f"/api/v1/boxes/{slug}/session")
    assert (started.status_code, started.json()["state"]) == (202, "queued")
    assert (await case.get(f"/api/v1/boxes/{slug}/session")).json()["id"] == started.json()["id"]

    verdict = (await case.post("/api/v1/submissions", {"value": "FLAG{fixed}", "box": slug})).json()
    assert (verdict["verdict"], verdict["points"], verdict["text"]) == ("correct", 50, "Correct! Points: 50.")
    world.clock.move(seconds=2)

    box = (await case.get(f"/api/v1/boxes/{slug}")).json()
    assert [flag["name"] for flag in box["flags"] if flag["found_at"]] == ["fixed"]
    assert "value" not in box["flags"][0]

    stopped = await case.send("DELETE", f"/api/v1/boxes/{slug}/session")
    assert (stopped.status_code, stopped.json()["state"]) == (202, "stopped")


async def test_a_running_machine_is_extended_and_reset(site: Site, world: World) -> None:
    slug = await world.release(await world.admin())
    case = await site.player("case")
    actor = await world.game.accounts.authenticate(case.token)
    assert actor is not None
    await world.run(actor, slug, Flag("user", "WZ{1}", 100))

    before = (await case.get("/api/v1/sessions")).json()[0]
    extended = (await case.post(f"/api/v1/boxes/{slug}/session/extend")).json()
    reset = await case.post(f"/api/v1/boxes/{slug}/session/reset")

    assert extended["expires_at"] >= before["expires_at"]
    assert (reset.status_code, reset.json()["state"]) == (202, "resetting")


async def test_a_wrong_flag_is_an_answer_and_no_error(site: Site, world: World) -> None:
    await world.release(await world.admin())
    case = await site.player("case")

    answer = await case.post("/api/v1/submissions", {"value": "FLAG{wrong}"})

    assert (answer.status_code, answer.json()["verdict"]) == (200, "wrong")


async def test_an_organiser_registers_edits_and_releases_a_box(site: Site) -> None:
    finn, case = await site.organiser(), await site.player("case")

    registered = await finn.post("/api/v1/admin/boxes", BOX)
    assert registered.status_code == 201, registered.text
    slug = registered.json()["slug"]
    assert (await case.get(f"/api/v1/boxes/{slug}")).status_code == 404

    form = (await finn.get(f"/api/v1/admin/boxes/{slug}")).json()
    assert (await finn.send("PUT", f"/api/v1/admin/boxes/{slug}", json={**form, "name": "Hello!"})).status_code == 204
    for act in ("release", "retire", "release"):
        assert (await finn.post(f"/api/v1/admin/boxes/{slug}/{act}")).status_code == 204
    assert (await case.get(f"/api/v1/boxes/{slug}")).json()["card"]["name"] == "Hello!"

    assert (await finn.send("DELETE", f"/api/v1/admin/boxes/{slug}")).status_code == 204
    assert (await case.get(f"/api/v1/boxes/{slug}")).status_code == 404
    assert (await finn.post(f"/api/v1/admin/boxes/{slug}/restore")).status_code == 204
    assert [box["slug"] for box in (await case.get("/api/v1/boxes")).json()] == [slug]


async def test_all_problems_of_a_box_are_told_at_once_by_field(site: Site) -> None:
    finn = await site.organiser()

    answer = await finn.post("/api/v1/admin/boxes", {**BOX, "name": "", "difficulty": 11, "flags": [{"name": ""}]})

    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {
        "name",
        "difficulty",
        "flags.0.name",
        "flags.0.value",
    }


ADMIN_ADDRESSES = [
    ("POST", "providers/x/look"),
    ("GET", "templates"),
    ("GET", "templates/hello"),
    ("GET", "boxes"),
    ("GET", "boxes/hello"),
    ("GET", "desk"),
    ("GET", "sessions"),
    ("GET", "sessions/x"),
    ("GET", "sessions/x/log"),
    ("GET", "submissions"),
    ("POST", "boxes"),
    ("PUT", "boxes/hello"),
    ("DELETE", "boxes/hello"),
    ("POST", "boxes/hello/release"),
    ("POST", "boxes/hello/retire"),
    ("POST", "boxes/hello/restore"),
    ("DELETE", "sessions/x"),
    ("POST", "announcements"),
    ("PUT", "home"),
    ("GET", "gates"),
    ("POST", "realms/wz01/players/1/cut-off"),
    ("DELETE", "realms/wz01/players/1/cut-off"),
    ("GET", "accounts"),
    ("PUT", "accounts/1/ban"),
    ("DELETE", "accounts/1/ban"),
    ("PUT", "event"),
]


@pytest.mark.parametrize(("method", "path"), ADMIN_ADDRESSES)
async def test_players_and_strangers_are_kept_from_the_organisers_part(site: Site, method: str, path: str) -> None:
    for browser, status in ((site.browser(), 401), (await site.player(), 403)):
        bodies = {
            "announcements": {"message": "x"},
            "home": {"content": "x"},
            "boxes": BOX,
            "boxes/hello": BOX,
            "accounts/1/ban": {"reason": "x"},
            "event": {},
        }
        body = {"json": bodies[path]} if method in {"POST", "PUT"} and path in bodies else {}
        answer = await browser.send(method, f"/api/v1/admin/{path}", **body)
        assert answer.status_code == status, answer.text


async def test_no_route_of_the_organisers_part_is_missing_above(site: Site) -> None:
    schema = (await site.browser().get("/api/openapi.json")).json()
    described = {
        (
            method.upper(),
            path.removeprefix("/api/v1/admin/").format(
                slug="hello", name="hello", session_id="x", provider="x", realm="wz01", account_id=1
            ),
        )
        for path, methods in schema["paths"].items()
        if path.startswith("/api/v1/admin/")
        for method in methods
    }

    assert described == set(ADMIN_ADDRESSES)


OPEN_ADDRESSES = {
    ("GET", "/api/v1/csrf"),
    ("POST", "/api/v1/register"),
    ("POST", "/api/v1/login"),
    ("POST", "/api/v1/logout"),
}


async def test_everything_else_needs_a_login(site: Site) -> None:
    browser = site.browser()
    schema = (await browser.get("/api/openapi.json")).json()
    bodies = {"/me/password": {"current": "x", "new": "x"}, "/me/preferences": {}, "/submissions": {"value": "x"}}

    for path, methods in schema["paths"].items():
        for method in methods:
            if (method.upper(), path) in OPEN_ADDRESSES or "/admin/" in path:
                continue
            body = bodies.get(path.removeprefix("/api/v1"))
            address = path.format(slug="x", username="x", realm="x", login_id="x")
            answer = await browser.send(method.upper(), address, **({"json": body} if body is not None else {}))
            assert (answer.status_code, answer.json()["code"]) == (401, "not-logged-in"), (method, path)


async def test_an_organiser_sees_what_happened(site: Site, world: World) -> None:
    finn = await site.organiser()
    actor = await world.game.accounts.authenticate(finn.token)
    assert actor is not None
    slug = await world.release(actor)
    case = await site.player("case")
    session = (await case.post(f"/api/v1/boxes/{slug}/session")).json()["id"]
    await case.post("/api/v1/submissions", {"value": "FLAG{no}"})

    desk = (await finn.get("/api/v1/admin/desk")).json()
    tries = (await finn.get("/api/v1/admin/submissions?verdict=wrong")).json()

    assert [one["id"] for one in desk["running"]] == [session]
    assert [(one["username"], one["value"]) for one in tries] == [("case", "FLAG{no}")]
    assert (await finn.get(f"/api/v1/admin/sessions/{session}")).json()["username"] == "case"
    assert (await finn.get(f"/api/v1/admin/sessions/{session}/log")).json() == {"output": ""}
    assert (await finn.send("DELETE", f"/api/v1/admin/sessions/{session}")).status_code == 204
    assert (await case.get("/api/v1/sessions")).json() == []


async def test_an_announcement_reaches_everyone(site: Site) -> None:
    finn, case = await site.organiser(), await site.player("case")

    assert (await finn.post("/api/v1/admin/announcements", {"message": "Pizza {now} at 8"})).status_code == 204

    assert (await case.get("/api/v1/notices")).json()[0]["text"] == "Pizza {now} at 8"


async def test_the_home_page_is_written_by_organisers(site: Site) -> None:
    finn, case = await site.organiser(), await site.player("case")

    assert (await finn.send("PUT", "/api/v1/admin/home", json={"content": "# Hi"})).status_code == 204

    assert (await case.get("/api/v1/home")).json() == {"content": "# Hi"}


async def _standings(browser: Browser, **headers: str) -> httpx.Response:
    return await browser.get("/api/v1/standings", headers=headers)


async def test_the_standings_are_sent_again_only_when_they_changed(site: Site, world: World) -> None:
    await world.release(await world.admin())
    case = await site.player("case")
    first = await _standings(case)
    etag = first.headers["etag"]

    unchanged = await _standings(case, **{"If-None-Match": f'"x", W/{etag}'})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", etag)

    await case.post("/api/v1/submissions", {"value": "FLAG{fixed}"})
    world.game.scoreboard._snapshots.forget()
    changed = await _standings(case, **{"If-None-Match": etag})

    assert changed.status_code == 200
    assert [(row["username"], row["score"]) for row in changed.json()["rows"]] == [("case", 50)]


async def test_players_are_listed_and_have_a_profile(site: Site, world: World) -> None:
    case = await site.player("case")

    assert [one["username"] for one in (await case.get("/api/v1/users?search=ca")).json()] == ["case"]
    assert (await case.get("/api/v1/users/case")).json()["solves"] == []
    assert (await case.get("/api/v1/users/nobody")).status_code == 404


async def test_an_organiser_has_a_provider_looked_at_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    monkeypatch.setattr(site.world.game.desk, "_look_again", looked_at.append)
    finn, case = await site.organiser(), await site.player("case")
    answer = await finn.post("/api/v1/admin/providers/lab/look")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await finn.post("/api/v1/admin/providers/elsewhere/look")).status_code == 404
    assert (await case.post("/api/v1/admin/providers/lab/look")).status_code == 403
    assert looked_at == ["lab"]
