"""Error pages: what went wrong, in words, with the way on."""

import pytest

from chatsubo.domain.errors import Unavailable
from chatsubo.game.catalogue import Catalogue
from tests.web.pages.reading import Page


@pytest.mark.parametrize(
    "path", ["/nope", "/boxes/nope", "/users/nope", "/tracks/nope", "/scoreboard?track=nope", "/static/nope.css"]
)
async def test_what_is_not_there_says_so(player, path):
    answer = await player.get(path)
    page = Page(answer.text)
    assert answer.status_code == 404
    assert "Not found" in page.text
    assert (page.unsafe(), page.mistakes) == ([], [])


async def test_a_mistake_of_ours_has_a_number(player, monkeypatch):
    async def broken(*args):
        message = "a secret detail"
        raise RuntimeError(message)

    monkeypatch.setattr(Catalogue, "boxes", broken)
    answer = await player.get("/tracks")
    page = Page(answer.text)
    assert answer.status_code == 500
    number = next(attributes["data-copy"] or "" for _, attributes in page.elements if "data-copy" in attributes)
    assert len(number) >= 8
    assert number in page.text
    assert "secret detail" not in answer.text


async def test_a_database_that_is_away_says_to_come_back(player, monkeypatch):
    async def away(*args):
        raise Unavailable

    monkeypatch.setattr(Catalogue, "boxes", away)
    answer = await player.get("/tracks")
    assert answer.status_code == 503
    assert "Try again" in Page(answer.text).text


async def test_what_a_form_asked_for_is_not_tried_again_by_a_link(player, monkeypatch):
    async def away(*args):
        raise Unavailable

    form = (await player.page("/tracks")).form("/flags")
    monkeypatch.setattr("chatsubo.game.submissions.Submissions.submit", away)
    answer = await player.post(form.action, {**form.fields, "flag": "FLAG{x}"})
    assert answer.status_code == 503
    assert "Try again" not in Page(answer.text).text


async def test_a_form_without_its_token_is_refused_with_words(player):
    answer = await player.post("/boxes/straylight/stop", {})
    assert answer.status_code == 403
    assert "This page was open for too long" in Page(answer.text).text


async def test_within_a_page_a_problem_is_a_toast(player):
    answer = await player.post("/boxes/straylight/stop", {}, script=True)
    assert answer.status_code == 403
    assert answer.headers["hx-retarget"] == "#toasts"
    assert answer.headers["x-fragment"] == "1"
    assert "<html" not in answer.text


async def test_a_part_that_cannot_be_fetched_disturbs_nobody(player):
    answer = await player.get("/boxes/nope/machine", **{"HX-Request": "true"})
    assert answer.status_code == 404
    assert "x-fragment" not in answer.headers
