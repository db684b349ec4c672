"""What players do on pages, with and without scripts."""

import pytest

from tests.game.world import PASSWORD
from tests.web.pages.reading import Page


async def test_a_newcomer_registers_and_is_in(nobody):
    answer = await nobody.send("/register", "/register", username="dixie", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Good to see you, dixie" in (await nobody.page("/")).text


async def test_a_refused_registration_keeps_the_name_and_says_what_is_wrong(nobody):
    answer = await nobody.send("/register", "/register", username="dixie", password="hunter2")
    page = Page(answer.text)
    assert answer.status_code == 422
    assert page.form("/register").fields["username"] == "dixie"
    assert "A password has 8 to 256 characters." in page.text
    assert "hunter2" not in answer.text


async def test_a_login_leads_to_where_one_wanted_to_go(nobody):
    wanted = (await nobody.get("/boxes/villa")).headers["location"]
    answer = await nobody.send(wanted, "/login", username="case", password=PASSWORD)
    assert answer.headers["location"] == "/boxes/villa"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_a_login_never_leads_to_another_site(nobody, elsewhere):
    answer = await nobody.send("/login", "/login", username="case", password=PASSWORD, next=elsewhere)
    assert answer.headers["location"] == "/"


async def test_a_wrong_password_does_not_say_which_of_both_was_wrong(nobody):
    known = await nobody.send("/login", "/login", username="case", password="wrong horse")
    unknown = await nobody.send("/login", "/login", username="ghost", password="wrong horse")
    assert known.status_code == unknown.status_code == 401
    for answer in (known, unknown):
        assert "The username or the password is wrong." in Page(answer.text).text


async def test_after_too_many_tries_the_form_says_how_long_to_wait(nobody):
    for _ in range(11):
        answer = await nobody.send("/login", "/login", username="case", password="wrong horse")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "Too many tries." in Page(answer.text).text


async def test_logging_out_ends_the_login(player):
    await player.send("/", "/logout")
    assert (await player.get("/tracks")).status_code == 303


async def test_a_machine_is_stopped_and_started_without_scripts(player):
    for slug in ("straylight", "tessier"):
        answer = await player.send(f"/boxes/{slug}", "/stop")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/boxes/{slug}")
    answer = await player.send("/boxes/last-call", "/start", realm="wz02")
    assert answer.status_code == 303
    page = await player.page("/boxes/last-call")
    assert "wz02" in page.text
    assert "Never mind" in page.text


async def test_a_refused_start_says_why_on_the_page_and_in_its_part(player):
    whole = await player.send("/boxes/last-call", "/start")
    part = await player.send("/boxes/last-call", "/start", script=True)
    for answer in (whole, part):
        assert answer.status_code == 409
        assert "You have reached your limit of running machines (3). Stop one first." in Page(answer.text).text
    assert "<html" in whole.text
    assert part.headers["x-fragment"] == "1"
    assert "<html" not in part.text


async def test_more_time_is_given(player):
    before = (await player.get("/boxes/straylight/machine", **{"HX-Request": "true"})).text
    part = await player.send("/boxes/straylight", "/extend", script=True)
    assert part.status_code == 200
    assert "data-until" in part.text
    assert part.text != before


async def test_a_machine_says_all_that_is_needed_to_get_in(player):
    page = await player.page("/boxes/straylight")
    copies = [attributes["data-copy"] for _, attributes in page.elements if "data-copy" in attributes]
    assert copies == [
        "10.13.37.100", "10.13.37.100:22", "10.13.37.100:8080", "ssh level0@10.13.37.100", "level0", "aX3kP9qL",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("zion", "Building the image: step 4 of 9"),
        ("sense-net", "Its service never answered on port 8080."),
        ("villa", "Everyone shares this machine."),
        ("wintermute", "at the moment"),
    ],
)
async def test_a_machine_says_how_it_is(player, slug, words):
    assert words in (await player.page(f"/boxes/{slug}")).text


async def test_a_right_flag_counts_and_wakes_the_page(player):
    answer = await player.send("/tracks", "/flags", script=True, flag="FLAG{straylight-root}")
    assert answer.status_code == 200
    assert answer.headers["hx-trigger"] == '{"flagfound":{"flag":102}}'
    assert "+200" in answer.text
    assert "Box complete!" in answer.text
    again = await player.send("/tracks", "/flags", script=True, flag="FLAG{straylight-root}")
    assert "hx-trigger" not in again.headers
    assert "You already have this flag." in Page(again.text).text


async def test_flags_are_submitted_without_scripts(player):
    right = await player.send("/boxes/straylight", "/flags", flag="FLAG{straylight-root}", box="straylight")
    assert "Correct! Points: 200." in Page(right.text).text
    wrong = await player.send("/tracks", "/flags", flag="FLAG{nope}")
    assert wrong.status_code == 200
    assert "That is not a flag of yours." in Page(wrong.text).text


async def test_what_cannot_be_a_flag_is_refused_with_a_reason(player):
    answer = await player.send("/tracks", "/flags", script=True, flag="x" * 600)
    assert answer.status_code == 422
    assert answer.headers["x-fragment"] == "1"
    assert "A flag has at most 512 characters." in Page(answer.text).text


async def test_too_many_tries_say_when_to_come_back(player):
    form = (await player.page("/tracks")).form("/flags")
    tries = [await player.post(form.action, {**form.fields, "flag": "FLAG{nope}"}, script=True) for _ in range(31)]
    assert tries[-1].status_code == 429
    assert int(tries[-1].headers["retry-after"]) > 0
    assert "Too many tries." in Page(tries[-1].text).text


async def test_the_own_row_is_on_the_board_even_far_down(player):
    page = await player.page("/scoreboard")
    rows = [attributes for tag, attributes in page.elements if tag == "tr" and attributes.get("class") == "is-me"]
    assert len(rows) == 1


async def test_the_board_says_how_many_it_leaves_out(player, monkeypatch):
    monkeypatch.setattr("chatsubo.web.pages.standings.MOST_ROWS", 3)
    text = (await player.page("/scoreboard")).text
    assert "12 more players: use the search to find them." in text, "16 but the first three and one's own"


async def test_a_search_narrows_the_board(player):
    text = (await player.get("/scoreboard?q=MOL", **{"HX-Request": "true"})).text
    assert "molly" in text
    assert "armitage" not in text


async def test_a_new_password_must_be_typed_twice_alike(player):
    fields = {"current": PASSWORD, "new": "battery staple", "again": "battery stable"}
    answer = await player.send("/settings", "/settings/password", **fields)
    assert answer.status_code == 422
    assert "The two new passwords differ." in Page(answer.text).text


async def test_a_new_password_logs_the_others_out_and_keeps_this_one_in(site, visit):
    here, there = await visit(site, "case"), await visit(site, "case")
    fields = {"current": PASSWORD, "new": "battery staple", "again": "battery staple"}
    answer = await here.send("/settings", "/settings/password", **fields)
    assert answer.headers["location"] == "/settings?done=password"
    assert (await here.get("/tracks")).status_code == 200
    assert (await there.get("/tracks")).status_code == 303


async def test_another_login_is_revoked(site, visit):
    here, there = await visit(site, "case"), await visit(site, "case")
    page = await here.page("/settings")
    actions = [form.action for form in page.forms if form.action.endswith("/revoke")]
    for action in actions:
        await here.post(action, page.form(action).fields)
    assert (await here.get("/tracks")).status_code == 200
    assert (await there.get("/tracks")).status_code == 303


async def test_language_and_theme_are_kept(player):
    answer = await player.send("/settings", "/settings/preferences", language="fr", theme="light")
    assert answer.status_code == 303
    text = (await player.get("/")).text
    assert '<html lang="fr" data-theme="light">' in text


async def test_the_lights_are_switched_where_one_is(player):
    answer = await player.send("/scoreboard", "/settings/theme", theme="light")
    assert answer.headers["location"] == "/scoreboard"
    assert 'data-theme="light"' in (await player.get("/scoreboard")).text


@pytest.mark.parametrize("path", ["/scoreboard?track=web&q=mol", "/users/jos%C3%A9"])
async def test_the_lights_are_switched_on_the_very_page_where_one_is(player, world, path):
    await world.player("josé")
    answer = await player.send(path, "/settings/theme", theme="light")
    assert answer.headers["location"] == path


async def test_after_a_form_the_lights_are_switched_on_the_way_home(player):
    answer = await player.send("/tracks", "/flags", flag="FLAG{nope}")
    form = Page(answer.text).form("/settings/theme")
    assert (await player.post(form.action, {**form.fields, "theme": "light"})).headers["location"] == "/"
