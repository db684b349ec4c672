"""The folder of templates."""

import io
import tarfile
from pathlib import Path

import pytest

from chatsubo.providers.docker.building import built_from, marked, prefix
from chatsubo.providers.docker.context import OURS, entries, pack, read
from chatsubo.providers.docker.ignore import is_ignored, read_patterns
from chatsubo.providers.docker.templates import Templates
from chatsubo.providers.exc import Misconfigured, TemplateNotFound

GOOD = 'FROM alpine\nARG SESSION\nLABEL chatsubo.session="$SESSION"\n'


def write(root: Path, files: dict[str, str]) -> Templates:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Templates(root, "docker")


def test_folders_with_a_dockerfile_are_templates_and_bad_ones_say_why(tmp_path: Path):
    templates = write(
        tmp_path,
        {
            "good/Dockerfile": GOOD,
            "differs/Dockerfile": GOOD + "LABEL chatsubo.template=other",
            "silent/Dockerfile": "FROM alpine",
            "broken/Dockerfile": "FROM alpine\nLABELL x",
            "classic/Dockerfile": GOOD + "LABEL chatsubo.dynamic=false",
            "image/image.yml": 'image: busybox:1\nlabels: {chatsubo.flags.user.value: "$FLAG3"}\nenv: {A: "x${RNG1}"}',
            "wrong/image.yml": "image: [1]",
            "nothing/readme.md": "",
            ".git/Dockerfile": GOOD,
        },
    )
    listing = templates.listing()

    assert [one.name for one in listing.items] == ["differs", "good", "image"]
    assert all(one.dynamic for one in listing.items)
    assert {one.name: str(one.reason) for one in listing.rejected} == {
        "silent": 'the Dockerfile exposes no session: add LABEL chatsubo.session="$SESSION"',
        "broken": "line 2: this is no Dockerfile instruction",
        "classic": "chatsubo.dynamic=false marks a container that the platform does not start",
        "wrong": "image.yml names no image: expected a line image: NAME",
    }
    assert [str(one) for one in listing.items[0].warnings] == [
        "the label chatsubo.template says other; the name is the folder's"
    ]
    assert listing.items[2].labels["chatsubo.flags.user.value"] == ""
    assert listing.items[2].slots == {"FLAG3", "RNG1"}


def test_a_template_is_read_again_when_anything_in_its_folder_changed(tmp_path: Path):
    templates = write(tmp_path, {"box/Dockerfile": GOOD, "box/data": "one"})
    first = templates.find("box")

    assert templates.find("box") is first
    write(tmp_path, {"box/data": "another"})
    again = templates.find("box")
    assert again is not first
    assert again.recipe is not None
    assert first.recipe is not None
    assert built_from(again.recipe) != built_from(first.recipe)


@pytest.mark.parametrize("name", ["missing", "../box", "", ".", "box/../box", "a\0b"])
def test_a_name_that_is_no_folder_of_the_root_is_not_found(tmp_path: Path, name: str):
    templates = write(tmp_path, {"box/Dockerfile": GOOD})

    with pytest.raises(TemplateNotFound):
        templates.find(name)


def test_a_root_that_is_missing_is_told(tmp_path: Path):
    with pytest.raises(Misconfigured, match="dockerfiles_root"):
        Templates(tmp_path / "missing", "docker").listing()


def test_a_dockerfile_that_is_no_text_is_rejected(tmp_path: Path):
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "Dockerfile").write_bytes(b"FROM alpine\n\xff\xfe")

    assert str(Templates(tmp_path, "docker").listing().rejected[0].reason) == "the Dockerfile is not UTF-8 text"


def test_the_build_can_be_asked_for_by_label_and_forbidden(tmp_path: Path):
    run = "ARG FLAG0\nRUN echo $FLAG0 > /x\n"
    templates = write(
        tmp_path,
        {
            "asked/Dockerfile": GOOD + "ARG FLAG0\nLABEL chatsubo.secrets=build f=$FLAG0",
            "files/Dockerfile": GOOD + run + "LABEL chatsubo.secrets=files",
        },
    )
    asked, files = templates.listing().items

    assert asked.recipe is not None
    assert asked.recipe.baked == {"FLAG0", "SESSION"}
    assert files.recipe is not None
    assert files.recipe.baked == frozenset()
    assert [str(one) for one in files.warnings] == ["chatsubo.secrets=files, but the build uses FLAG0"]


def test_the_context_holds_what_is_not_ignored_and_our_dockerfile_beside_the_authors(tmp_path: Path):
    write(
        tmp_path,
        {"Dockerfile": GOOD, ".dockerignore": "*.log\nbig/\n!big/keep\n", "a.log": "", "big/x": "", "big/keep": "k"},
    )
    (tmp_path / "link").symlink_to("a.log")
    found = read(entries(tmp_path))

    with pack(found, "FROM other") as file, tarfile.open(fileobj=io.BytesIO(file.read())) as archive:
        assert sorted(archive.getnames()) == sorted([OURS, ".dockerignore", "Dockerfile", "big/keep", "link"])
        ours, ignored = archive.extractfile(OURS), archive.extractfile(".dockerignore")
        assert ours is not None
        assert ours.read() == b"FROM other"
        assert ignored is not None
        assert OURS.encode() in ignored.read()
        assert all(member.uid == 0 for member in archive)


@pytest.mark.parametrize(
    ("patterns", "path", "ignored"),
    [
        ("*.md", "a.md", True),
        ("*.md", "b/a.md", False),
        ("**/*.md", "b/c/a.md", True),
        ("b", "b/c/a", True),
        ("/b/", "b/x", True),
        ("b/*\n!b/keep", "b/keep", False),
        ("b/*\n!b/keep", "b/other", True),
        ("a?c", "abc", True),
        ("[ab]x", "bx", True),
        ("#b", "#b", False),
        ("a.b", "axb", False),
    ],
)
def test_dockerignore_patterns_work_as_the_engines_client_has_them(patterns: str, path: str, ignored: bool):
    assert is_ignored(path, read_patterns(patterns)) is ignored


def test_what_may_hold_a_secret_carries_the_sessions_label(tmp_path: Path):
    text = "FROM alpine AS one\nRUN x\nARG FLAG0\nRUN echo $FLAG0\nFROM alpine\nRUN y\nARG SESSION\n"
    text += "LABEL chatsubo.session=$SESSION"
    recipe = write(tmp_path, {"box/Dockerfile": text}).find("box").recipe
    assert recipe

    assert prefix(recipe) == "FROM alpine AS one\nRUN x\nARG FLAG0\n"
    assert marked(recipe, "id").splitlines() == [
        "FROM alpine AS one",
        "RUN x",
        "ARG FLAG0",
        "LABEL chatsubo.session=id",
        "RUN echo $FLAG0",
        "FROM alpine",
        "LABEL chatsubo.session=id",
        "RUN y",
        "ARG SESSION",
        "LABEL chatsubo.session=$SESSION",
    ]


def test_the_documented_label_serves_as_the_mark(tmp_path: Path):
    text = 'FROM alpine\nARG FLAG0\nARG SESSION\nLABEL chatsubo.session="$SESSION" f="$FLAG0"\nRUN echo $FLAG0\n'
    recipe = write(tmp_path, {"box/Dockerfile": text}).find("box").recipe
    assert recipe

    assert marked(recipe, "id") == text


def test_a_file_that_reads_a_value_as_a_variable_names_it_and_a_word_in_prose_does_not(tmp_path: Path):
    write(
        tmp_path,
        {
            "setup.sh": 'echo "$FLAG0" > /flag; eval echo \\$RNG$i',
            "app.php": "<?php $_SESSION['a'] = 1; // the SESSION and its FLAG",
            "get.py": "os.environ['SESSION']",
        },
    )

    assert read(entries(tmp_path)).mentions == {"FLAG0", "RNG", "SESSION"}
    (tmp_path / "get.py").unlink()
    assert read(entries(tmp_path)).mentions == {"FLAG0", "RNG"}
