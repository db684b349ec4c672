"""What strangers write stays text, wherever it is shown."""

import pytest

from chatsubo.store.tables import boxes, flags, sessions, tracks
from chatsubo.web.markdown import markdown
from tests.web.pages.reading import Page
from tests.web.pages.test_every_page import KEPT, PLAYED

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}"
MARKDOWN = f"""{EVIL}

[a](javascript:alert(1)) [b](data:text/html;base64,PHN) ![c](javascript:alert(1)) <a href="javascript:alert(1)">d</a>
<style>* {{ display: none }}</style> [e]( java&#115;cript:alert(1) ) <svg onload=alert(1)>

[ref]: javascript:alert(1)
[ref]
"""


@pytest.fixture
async def hostile(world, evening):
    """Let everything that can be named have an evil name."""
    async with world.db.write() as tx:
        await tx.execute(boxes.update().values(name=EVIL, description=MARKDOWN, authors=[EVIL]))
        await tx.execute(tracks.update().values(name=EVIL[:64], icon=EVIL[:64]))
        await tx.execute(flags.update().values(icon=EVIL[:64]))
        await tx.execute(flags.update().where(flags.c.id == 101).values(name=EVIL[:64]))
        evil = {"message": "{evil}", "params": {"evil": EVIL}}
        await tx.execute(
            sessions.update().values(
                stage=evil, failure=evil, failure_detail=EVIL, address=EVIL,
                endpoints=[{"name": EVIL, "host": EVIL, "port": 1}],
                creds=[{"type": "ssh", "username": EVIL, "password": EVIL}],
            )
        )  # fmt: skip
    await world.game.home.set_content(evening.admin, MARKDOWN)
    await world.game.notices.announce(evening.admin, EVIL)
    await world.game.submissions.submit(evening.player, EVIL)


async def test_no_page_runs_what_strangers_wrote(hostile, site, visit):
    for name, paths in (("case", PLAYED), ("finn", KEPT), (None, ("/",))):
        visitor = await visit(site, name)
        for path in (*paths, f"/scoreboard?q={EVIL}", f"/users?q={EVIL}") if name else paths:
            answer = await visitor.browser.http.get(f"https://ctf.example{path}")
            page = Page(answer.text)
            assert answer.status_code == 200, path
            assert page.unsafe() == [], path
            assert page.mistakes == [], path
            assert "<script>alert" not in answer.text, path
            assert not any(tag == "svg" and "onload" in attributes for tag, attributes in page.elements), path


async def test_parts_do_not_either(hostile, site, visit):
    visitor = await visit(site, "case")
    for path in (
        "/boxes/straylight/machine",
        "/boxes/sense-net/machine",
        "/boxes/straylight/flags",
        "/notices/bell",
        "/boxes/cards",
    ):
        page = Page((await visitor.get(path, **{"HX-Request": "true"})).text)
        assert (page.unsafe(), page.mistakes) == ([], []), path


@pytest.mark.parametrize(
    "source", [MARKDOWN, EVIL, "<iframe src=//evil.example></iframe>", '![x](//evil.example/a.png "t" onerror=1)']
)
def test_markdown_keeps_nothing_that_could_run(source):
    page = Page(str(markdown(source)))
    assert page.unsafe() == []
    assert {tag for tag, _ in page.elements} <= {"p", "a", "img", "em", "strong"}


def test_markdown_keeps_what_authors_need():
    html = markdown("# A\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x](https://example.org) `code`\n\n~~no~~ **yes**")
    for part in (
        "<h1>A</h1>",
        "<td>1</td>",
        '<a href="https://example.org"',
        "<code>code</code>",
        "<s>no</s>",
        "<strong>yes</strong>",
    ):
        assert part in html


@pytest.mark.parametrize("address", ["https://pictures.example/a.png", "//pictures.example/a.png", "a.png"])
def test_a_picture_that_no_browser_would_fetch_is_a_link(address):
    html = markdown(f"![the *old* plan]({address})")
    assert f'<a href="{address}"' in html
    assert ">the old plan</a>" in html
    assert "<img" not in html
    assert f">{address}</a>" in markdown(f"![]({address})")


def test_a_picture_of_ours_is_a_picture():
    assert markdown("![the plan](/media/plan.png)") == '<p><img src="/media/plan.png" alt="the plan"></p>\n'


def test_links_of_strangers_do_not_vouch_for_anything():
    assert 'rel="noopener noreferrer nofollow"' in markdown("[x](https://example.org)")


async def test_an_evil_address_is_told_on_a_page_that_runs_nothing(site, visit):
    visitor = await visit(site, "case")
    for path in (
        f"/{EVIL}",
        f"/boxes/{EVIL.replace('/', '')}",
        "/users/..%2f..%2fadmin",
        "/tracks/%ff",
        f"/settings?done={EVIL}",
    ):
        answer = await visitor.browser.http.get(f"https://ctf.example{path}")
        assert answer.status_code in (200, 404)
        assert Page(answer.text).unsafe() == []
