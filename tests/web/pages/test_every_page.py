"""What holds for every page, whoever looks at it."""

import pytest

from chatsubo.web.assets import bundled
from tests.web.pages.reading import Page
from tests.web.site import AT_PREFIX, AT_ROOT

SESSION = "00000000-9d3e-4c1a-8f00-5a6b7c8d9e0f"
BOXES = ("straylight", "last-call", "zion", "tessier", "sense-net", "villa", "wintermute", "ratz")
OPEN = ("/", "/login", "/register")
PLAYED = (
    "/", "/tracks", "/tracks/web", *(f"/boxes/{slug}" for slug in BOXES), "/scoreboard", "/scoreboard?track=web",
    "/scoreboard?q=mol", "/scoreboard?q=nobody-of-that-name", "/users", "/users?q=x", "/users/molly", "/users/case",
    "/settings", "/settings?done=password", "/notices", "/vpn",
)  # fmt: skip
KEPT = (
    "/admin", "/admin/boxes", "/admin/boxes?deleted=gone", "/admin/templates", "/admin/boxes/new?template=hello",
    "/admin/boxes/new?template=bare", "/admin/boxes/straylight", "/admin/sessions", f"/admin/sessions/{SESSION}",
    "/admin/submissions", "/admin/submissions?verdict=shared", "/admin/announce", "/admin/announce?done=x",
    "/admin/home", "/admin/gates", "/admin/accounts", "/admin/accounts?q=mol&only=active&page=1",
    "/admin/accounts?only=banned", "/admin/settings", "/admin/settings?done=x",
    "/boxes/hosaka", "/boxes/ono-sendai", "/users/the finn",
)  # fmt: skip
PARTS = (
    "/points", "/progress", "/progress?track=web", "/notices/bell", "/boxes/cards", "/boxes/cards?track=web",
    "/boxes/straylight/machine", "/boxes/straylight/flags", "/scoreboard", "/users", "/vpn", "/vpn/dot",
)  # fmt: skip
KEPT_PARTS = (
    "/admin",
    "/admin/accounts",
    "/admin/gates",
    "/admin/sessions",
    f"/admin/sessions/{SESSION}",
    "/admin/submissions",
)
VISITS = [*((None, path) for path in OPEN), *(("case", path) for path in PLAYED), *(("finn", path) for path in KEPT)]


@pytest.mark.parametrize(("address", "language"), [(AT_ROOT, "en"), (AT_PREFIX, "fr")])
async def test_each_page_is_well_formed_and_runs_nothing_of_its_own(make_site, visit, address, language):
    site = make_site(address)
    visitors = {name: await visit(site, name, **{"accept-language": language}) for name in (None, "case", "finn")}
    for name, path in VISITS:
        answer = await visitors[name].get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        page = Page(answer.text)
        assert page.mistakes == [], path
        assert page.unsafe() == [], path
        assert f'lang="{language}"' in answer.text, path
        assert all(one.startswith(f"{site.settings.prefix}/") for one in page.local), path
        for form in page.forms:
            assert form.method == "get" or len(form.fields.get("_csrf_token", "")) == 128, (path, form.action)


async def test_each_part_of_a_page_is_well_formed_and_marked_as_a_part(site, visit):
    parts = [*(("case", path) for path in ("/", *PARTS)), *(("finn", path) for path in KEPT_PARTS)]
    visitors = {name: await visit(site, name) for name in ("case", "finn")}
    for name, path in parts:
        answer = await visitors[name].get(path, **{"HX-Request": "true"})
        assert answer.status_code == 200, path
        assert answer.headers["x-fragment"] == "1", path
        page = Page(answer.text)
        assert page.mistakes == [], path
        assert page.unsafe() == [], path
        assert "<html" not in answer.text, path


@pytest.mark.parametrize("address", [AT_ROOT, AT_PREFIX])
async def test_every_link_of_every_page_leads_somewhere(make_site, visit, address):
    site = make_site(address)
    for name, paths in ((None, OPEN), ("case", PLAYED), ("finn", KEPT)):
        visitor = await visit(site, name)
        seen: dict[str, str] = {}
        for path in paths:
            for link in (await visitor.page(path)).loads:
                seen.setdefault(link, path)
        for link, path in seen.items():
            if link.endswith("/vpn") and "/realms/" in link:  # the gate of this realm is not there
                continue
            answer = await visitor.browser.http.get(f"{site.settings.origin}{link}")
            assert answer.status_code == 200, f"{link} on {path}: {answer.status_code}"


async def test_the_icons_that_pages_ask_for_are_in_the_sprite(site, visit):
    assets = bundled()
    sprite = assets.files[assets.names["icons.svg"]].bodies["identity"].decode()
    visitors = {name: await visit(site, name) for name in (None, "case", "finn")}
    for name, path in VISITS:
        page = await visitors[name].page(path)
        for tag, attributes in page.elements:
            if tag == "use":
                icon = (attributes["href"] or "").partition("#")[2]
                assert f'<symbol id="{icon}"' in sprite, (path, icon)


async def test_who_is_not_logged_in_is_asked_to(nobody):
    for path in (*PLAYED[1:], *PARTS, *KEPT):
        answer = await nobody.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/login?next=/"), path


async def test_players_are_kept_out_of_administration(player):
    for path in (one for one in KEPT if one.startswith("/admin")):
        answer = await player.get(path)
        assert answer.status_code == 403, path
        assert Page(answer.text).unsafe() == [], path
        assert "Not allowed" in answer.text, path


async def test_a_first_visit_of_the_boxes_costs_little(player):
    answer = await player.get("/tracks")
    page = Page(answer.text)
    loads = page.loads - {address for tag, a in page.elements if tag == "a" for address in [a.get("href") or ""]}
    total = len(answer.content)
    for address in {one for one in loads if "/static/" in one or "/boxes/" in one}:
        got = await player.browser.http.send(
            player.browser.http.build_request(
                "GET", f"https://ctf.example{address}", headers={"accept-encoding": "br, gzip"}
            ),
            stream=True,
        )
        total += sum([len(chunk) async for chunk in got.aiter_raw()])
        await got.aclose()
    assert total < 150_000
