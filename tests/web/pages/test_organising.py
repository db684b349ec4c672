"""What organisers do on pages."""

from chatsubo.domain.text import Text
from chatsubo.game.box_problems import problems_of
from chatsubo.game.views import DisabledPlugin
from chatsubo.web.pages.forms import box_form
from tests.web.pages.reading import Page

SESSION = "00000003-9d3e-4c1a-8f00-5a6b7c8d9e0f"


async def test_what_needs_attention_comes_first(organiser):
    text = (await organiser.page("/admin")).text
    places = [text.index(words) for words in ("old_pve does not answer", "A start of", "broken-box", "Runs now")]
    places.append(text.rindex("Accounts"))  # not the one in the navigation
    assert places == sorted(places)


async def test_a_plugin_that_is_disabled_is_shown_with_its_reason_in_both_languages(organiser, world):
    reason = Text("its import did not end within {seconds} s", {"seconds": "20"})
    broken = DisabledPlugin(kind="rack", origin="/etc/chatsubo/plugins/rack", reason=reason)
    world.game.desk._disabled_plugins = (broken,)
    text = (await organiser.page("/admin")).text
    for words in ("The plugin rack is disabled", "its import did not end within 20 s", "/etc/chatsubo/plugins/rack"):
        assert words in text
    french = Page((await organiser.get("/admin", **{"Accept-Language": "fr"})).text).text
    for words in (
        "Le plugin rack est désactivé",
        "son import ne s\N{RIGHT SINGLE QUOTATION MARK}est pas terminé en 20 s",
        "/etc/chatsubo/plugins/rack",
    ):
        assert words in french


async def test_a_template_is_registered_with_what_its_labels_say(organiser):
    page = await organiser.page("/admin/boxes/new?template=hello")
    form = page.form("/admin/boxes/new")
    assert form.fields["name"] == "hello"
    assert form.fields["flags.0.name"] == "user"
    assert page.text.count("not in the labels") == 4
    fields = {**form.fields, "name": "Hello again", "os": "Linux", "track": "web", "description": "Say hello."}
    answer = await organiser.post(form.action, fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/boxes/hello-again")
    box = await organiser.page("/boxes/hello-again")
    assert "Not released: only organisers see it." in box.text


async def test_a_box_begins_with_the_choice_of_a_template(organiser):
    answer = await organiser.get("/admin/boxes/new")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/templates")


async def test_boxes_are_listed_with_the_names_of_their_tracks(organiser):
    text = (await organiser.page("/admin/boxes")).text
    assert "Privilege escalation" in text
    assert "privilege-escalation" not in text


async def test_a_form_that_is_not_right_keeps_what_was_written_and_marks_each_field(organiser):
    form = (await organiser.page("/admin/boxes/new?template=hello")).form("/admin/boxes/new")
    wrong = {
        **form.fields,
        "name": "",
        "os": "Linux",
        "difficulty": "eleven",
        "flags.0.points": "-3",
        "authors": "a, b",
    }
    answer = await organiser.post(form.action, wrong)
    page = Page(answer.text)
    assert answer.status_code == 422
    marked = {attributes.get("name") for _, attributes in page.elements if attributes.get("aria-invalid")}
    assert {"name", "difficulty", "flags.0.points"} <= marked
    assert page.form("/admin/boxes/new").fields["authors"] == "a, b"


async def test_all_that_can_be_wrong_with_a_box_is_said_in_its_form(organiser):
    form = (await organiser.page("/admin/boxes/new?template=hello")).form("/admin/boxes/new")
    flag = {"flags.0.name": "", "flags.0.value": "", "flags.0.points": "x", "flags.0.mark": "both"}
    same = {"flags.1.name": "root", "flags.2.name": "Root", "flags.2.points": "1", "flags.2.value": "x" * 600}
    wrong = {
        **form.fields, **flag, **same, "name": "", "os": "BeOS", "difficulty": "0", "duration": "0", "track": "",
        "new_track": "", "description": "x" * 50_001,
    }  # fmt: skip
    wrong.pop("flags.0.dynamic")
    problems = list(problems_of(box_form(wrong), dynamic=True))
    page = Page((await organiser.post(form.action, wrong)).text)
    assert len(problems) > 10
    for problem in problems:
        assert str(problem.text) in page.text, problem.field


async def test_a_box_whose_template_has_gone_meanwhile_loses_nothing_of_its_form(organiser):
    form = (await organiser.page("/admin/boxes/new?template=hello")).form("/admin/boxes/new")
    answer = await organiser.post(form.action, {**form.fields, "template": "gone", "name": "Hello again"})
    page = Page(answer.text)
    assert answer.status_code == 422
    assert "No provider offers this template." in page.text
    assert page.form("/admin/boxes/new").fields["name"] == "Hello again"


async def test_a_box_is_edited(organiser):
    form = (await organiser.page("/admin/boxes/straylight")).form("/admin/boxes/straylight")
    fields = {
        **form.fields,
        "name": "Straylight II",
        "os": "Windows",
        "track": "web",
        "description": "New.\r\n\r\nText.",
    }
    answer = await organiser.post(form.action, fields)
    assert answer.headers["location"] == "/boxes/straylight"
    assert "Straylight II" in (await organiser.page("/boxes/straylight")).text


async def test_a_flag_that_is_left_out_is_deleted(organiser):
    form = (await organiser.page("/admin/boxes/straylight")).form("/admin/boxes/straylight")
    kept = {name: value for name, value in form.fields.items() if not name.startswith("flags.2.")}
    await organiser.post(form.action, {**kept, "os": "Linux", "track": "web"})
    assert "flag-102" not in (await organiser.get("/boxes/straylight")).text


async def test_a_box_is_released_retired_deleted_and_brought_back(organiser, player):
    assert (await player.get("/boxes/hosaka")).status_code == 404
    await organiser.send("/admin/boxes", "/admin/boxes/hosaka/release")
    assert (await player.get("/boxes/hosaka")).status_code == 200
    await organiser.send("/admin/boxes", "/admin/boxes/hosaka/retire")
    assert (await player.get("/boxes/hosaka")).status_code == 404
    gone = await organiser.send("/admin/boxes", "/admin/boxes/hosaka/delete")
    assert gone.headers["location"] == "/admin/boxes?deleted=hosaka"
    assert "Hosaka is deleted" in (await organiser.page("/admin/boxes?deleted=hosaka")).text
    await organiser.send("/admin/boxes", "/admin/boxes/hosaka/restore")
    assert "/admin/boxes/hosaka/delete" in (await organiser.page("/admin/boxes")).addresses


async def test_a_failed_start_shows_its_output(organiser):
    text = (await organiser.page(f"/admin/sessions/{SESSION}")).text
    assert "bind() to 0.0.0.0:80 failed" in text
    assert "Step 8/9 : RUN apk add" in text


async def test_anybodys_machine_is_stopped(organiser):
    address = "/admin/sessions/00000004-9d3e-4c1a-8f00-5a6b7c8d9e0f"
    assert (await organiser.send(address, "/stop")).status_code == 303
    assert "Stopping" in (await organiser.page(address)).text


async def test_an_ended_machine_cannot_be_stopped_again(organiser):
    address = "/admin/sessions/00000008-9d3e-4c1a-8f00-5a6b7c8d9e0f"
    form = (await organiser.page("/admin/announce")).form("/admin/announce")
    answer = await organiser.post(f"{address}/stop", form.fields)
    assert answer.status_code == 409


async def test_everyone_is_told(organiser, player):
    answer = await organiser.send("/admin/announce", "/admin/announce", message="Doors close at eight.")
    assert answer.headers["location"] == "/admin/announce?done=true"
    assert "Doors close at eight." in (await player.page("/notices")).text


async def test_an_empty_announcement_is_refused(organiser):
    answer = await organiser.send("/admin/announce", "/admin/announce", message="  ")
    assert answer.status_code == 422
    assert "An announcement has 1 to 500 characters." in Page(answer.text).text


async def test_the_home_page_is_written(organiser, nobody):
    answer = await organiser.send("/admin/home", "/admin/home", content="# Closed\r\n\r\nUntil **Monday**.")
    assert answer.status_code == 303
    assert "<h1>Closed</h1>" in (await nobody.get("/")).text


async def test_a_provider_is_looked_at_again_with_and_without_scripts(organiser, player, world, monkeypatch):
    looked_at: list[str] = []
    monkeypatch.setattr(world.game.desk, "_look_again", looked_at.append)
    address = "/admin/providers/lab_pve/look"
    answer = await organiser.send("/admin", address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
    form = (await organiser.page("/admin")).form(address)
    answer = await organiser.post(address, form.fields, script=True)
    assert address not in Page(answer.text).addresses
    assert "Looking…" in answer.text
    assert looked_at == ["lab_pve", "lab_pve"]
    assert (await player.post(address, form.fields)).status_code == 403
