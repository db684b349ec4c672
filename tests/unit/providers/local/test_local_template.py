"""Templates of a local provider: what can be written, and what every mistake is called."""

from pathlib import Path

import pytest

from chatsubo.domain.text import Text
from chatsubo.providers.exc import Misconfigured, TemplateNotFound
from chatsubo.providers.local.template import read_template
from chatsubo.providers.local.templates import Templates

WHOLE = """
command: ["{python}", server.py, --port, $PORT_HTTP]
ports: {http: 8000, admin: 9000}
ready: [http]
environment: {DB_PASSWORD: $RNG1, ME: "$SESSION at ${ADDRESS}"}
files: {flags/user.txt: "$FLAG0", "price.txt": "5 $$"}
limits: {memory: 1g, processes: 20}
labels:
  chatsubo.name: Ice Wall
  chatsubo.difficulty: 3
  chatsubo.flags.user.value: $FLAG0
  chatsubo.flags.user.points: 100
  chatsubo.creds.web.username: guest
  chatsubo.creds.web.password: $RNG0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ice-wall"
    folder.mkdir()
    return folder


def read(folder: Path, text: str):
    (folder / "template.yml").write_text(text)
    template, wrong = read_template(folder, "here")
    return template, [str(one) for one in wrong]


def test_a_whole_template_is_read(folder: Path) -> None:
    template, wrong = read(folder, WHOLE)
    assert not wrong
    assert template
    assert (template.name, template.provider, template.dynamic) == ("ice-wall", "here", True)
    assert template.awaited == ("http",)
    assert template.spec.limits.memory == 1 << 30
    assert template.metadata.name == "Ice Wall"
    assert template.metadata.difficulty == 3
    assert [(flag.name, flag.value, flag.points) for flag in template.flags] == [("user", "", 100)]
    assert [(one.username, one.password) for one in template.creds] == [("guest", "")]
    assert template.to_json()["ports"] == {"http": 8000, "admin": 9000}


def test_all_ports_are_awaited_unless_it_says_otherwise(folder: Path) -> None:
    template, _ = read(folder, "command: [x]\nports: {a: 2000, b: 2001}\n")
    assert template
    assert template.awaited == ("a", "b")
    template, _ = read(folder, "command: [x]\nports: {a: 2000}\nready: []\n")
    assert template
    assert template.awaited == ()


def test_labels_are_filled_with_the_values_of_a_start(folder: Path) -> None:
    template, _ = read(folder, WHOLE)
    assert template
    labels = template.labels_with({"SESSION": "5e55", "FLAG0": "FLAG{a$b}", "RNG0": "pw"})
    assert labels["chatsubo.flags.user.value"] == "FLAG{a$b}"
    assert labels["chatsubo.creds.web.password"] == "pw"
    assert labels["chatsubo.session"] == "5e55"
    assert labels["chatsubo.template"] == "ice-wall"


def test_a_label_that_names_another_template_is_a_warning(folder: Path) -> None:
    template, wrong = read(folder, "command: [x]\nlabels: {chatsubo.template: fire-wall}\n")
    assert template
    assert not wrong
    assert template.name == "ice-wall"
    assert "fire-wall" in str(template.warnings[0])
    same, _ = read(folder, "command: [x]\nlabels: {Chatsubo.Template: ice-wall}\n")
    assert same
    assert not same.warnings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ports: {http: 8000}", "command"),
        ("command: []", "command"),
        ("command: nc -l", "command"),
        ("command: [x]\nport: {http: 8000}", "ports"),
        ("command: [x]\nports: {http: 80}", "ports.http"),
        ("command: [x]\nports: {HTTP: 8000}", "ports.HTTP"),
        ("command: [x]\nports: {http: 8000}\nready: [https]", "there is no port https"),
        ("command: [x, $FLAG0]", "$FLAG0 is a secret that everybody on the host would see"),
        ("command: [x, $PORT_HTTP]", "there is no value $PORT_HTTP"),
        ("command: [x, '5 $']", "$$"),
        ("command: [x]\nlabels: {chatsubo.flags.a.value: $FLAG51}", "there is no value $FLAG51"),
        ("command: [x]\nlabels: {chatsubo.flags.a.value: $ADRESS}", "there is no value $ADRESS"),
        ("command: [x]\nlabels: {name: Ice}", "begins with chatsubo."),
        ("command: [x]\nlabels: {chatsubo.address: 10.0.0.1}", "the platform sets this one"),
        ("command: [x]\nfiles: {/etc/passwd: x}", "files./etc/passwd"),
        ("command: [x]\nfiles: {a/../../b: x}", "without .."),
        ("command: [x]\nenvironment: {A-B: x}", "environment.A-B"),
        ("command: [x]\nlimits: {memory: lots}", "limits.memory"),
        ("command: [x]\nlimits: {processes: 0}", "limits.processes"),
        ("command: [x", "template.yml"),
        ("- a list", "template.yml"),
        ("", "template.yml"),
    ],
)
def test_a_mistake_is_told_where_it_is(folder: Path, text: str, said: str) -> None:
    template, wrong = read(folder, text)
    assert template is None
    assert any(said in one for one in wrong), wrong


def test_a_mistake_is_told_in_the_readers_language(folder: Path) -> None:
    (folder / "template.yml").write_text("command: [x]\nports: {HTTP: 8000}\nfiles: {/a: x}\n")
    _, wrong = read_template(folder, "here")
    assert all(isinstance(dict(one.values)["reason"], Text) for one in wrong)
    (folder / "template.yml").write_text("command: [x]\nlimits: {processes: 0}\n")
    (told,) = read_template(folder, "here")[1]
    problem = dict(told.values)["problem"]
    assert isinstance(problem, Text)
    assert all(isinstance(value, Text) for _, value in problem.values)


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    _, wrong = read(folder, "command: [$FLAG0, $NOPE]\nfiles: {/a: $NOPE}\nready: [http]\n")
    assert len(wrong) == 5


def test_a_malformed_label_is_reported_and_the_template_stays(folder: Path) -> None:
    template, wrong = read(folder, "command: [x]\nlabels: {chatsubo.difficulty: 11, chatsubo.name: Ice}\n")
    assert template
    assert template.metadata.name == "Ice"
    assert len(wrong) == 1
    assert "chatsubo.difficulty" in wrong[0]


def test_a_file_that_cannot_be_read_is_told(folder: Path) -> None:
    assert "there is no template.yml" in str(read_template(folder, "here")[1][0])
    (folder / "template.yml").write_bytes(b"command: [\xff]")
    assert "UTF-8" in str(read_template(folder, "here")[1][0])
    (folder / "template.yml").write_bytes(b"#" * 300_000)
    assert "larger than" in str(read_template(folder, "here")[1][0])


def test_a_listing_keeps_the_good_and_names_the_bad(tmp_path: Path) -> None:
    for name, text in (("good", "command: [x]"), ("bad", "command: 1"), (".hidden", ""), ("__pycache__", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "template.yml").write_text(text)
    (tmp_path / "empty").mkdir()
    (tmp_path / "README.md").write_text("about them")
    listing = Templates(tmp_path, "here").all()
    assert [template.name for template in listing.items] == ["good"]
    assert {one.name for one in listing.rejected} == {"bad", "empty"}


def test_a_template_is_read_again_when_it_changes(tmp_path: Path) -> None:
    templates = Templates(tmp_path, "here")
    (tmp_path / "box").mkdir()
    file = tmp_path / "box" / "template.yml"
    file.write_text("command: [x]")
    first = templates.get("box")
    assert templates.get("box") is first
    file.write_text("command: [x, y]")
    assert templates.get("box").spec.command == ("x", "y")
    file.unlink()
    with pytest.raises(TemplateNotFound, match=r"template\.yml"):
        templates.get("box")


@pytest.mark.parametrize("name", ["nowhere", "..", "a/b", "", ".", ".hidden", "_shared"])
def test_a_name_that_is_no_folder_there_is_no_template(tmp_path: Path, name: str) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for passed_over in (".hidden", "_shared"):
        (tmp_path / passed_over).mkdir()
        (tmp_path / passed_over / "template.yml").write_text("command: [x]")
    with pytest.raises(TemplateNotFound):
        Templates(tmp_path, "here").get(name)


def test_a_root_that_is_not_there_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        Templates(tmp_path / "nowhere", "here").get("box")


def test_the_picture_is_found(folder: Path) -> None:
    assert (template := read(folder, "command: [x]")[0])
    assert template.cover is None
    (folder / "cover.svg").write_text("<svg/>")
    assert (template := read(folder, "command: [x]")[0])
    assert template.cover == folder / "cover.svg"
