"""The build hook's own rules: when the bundle is made anew, and how catalogues are compiled."""

import gettext
from pathlib import Path

import pytest

import hatch_build

CATALOGUE = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

msgid "Start"
msgstr "Démarrer"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    frontend = tmp_path / "frontend"
    (frontend / "src").mkdir(parents=True)
    (frontend / "src" / "app.css").write_text("body { color: red }")
    (frontend / "package-lock.json").write_text("{}")
    return tmp_path


def bundle(checkout: Path) -> Path:
    """Puts a bundle in place as the hook leaves it."""
    dist = checkout / hatch_build.DIST
    dist.mkdir(parents=True)
    (dist / "manifest.json").write_text("{}")
    (dist / hatch_build.INPUTS_STAMP).write_text(hatch_build.inputs_hash(checkout / "frontend"))
    return dist


def test_a_checkout_without_a_bundle_needs_one(checkout: Path) -> None:
    assert not hatch_build.bundle_is_current(checkout)


def test_a_bundle_of_the_sources_as_they_are_is_kept(checkout: Path) -> None:
    bundle(checkout)
    assert hatch_build.bundle_is_current(checkout)
    (checkout / "frontend" / "src" / "app.css").touch()
    assert hatch_build.bundle_is_current(checkout)


@pytest.mark.parametrize("change", ["edit", "add", "remove", "rename"])
def test_any_change_of_a_source_asks_for_a_new_bundle(checkout: Path, change: str) -> None:
    bundle(checkout)
    source = checkout / "frontend" / "src" / "app.css"
    match change:
        case "edit":
            source.write_text("body { color: blue }")
        case "add":
            source.with_name("more.css").write_text("")
        case "remove":
            source.unlink()
        case "rename":
            source.rename(source.with_name("renamed.css"))
    assert not hatch_build.bundle_is_current(checkout)


def test_installed_packages_are_no_sources(checkout: Path) -> None:
    bundle(checkout)
    packages = checkout / "frontend" / "node_modules" / "left-pad"
    packages.mkdir(parents=True)
    (packages / "index.js").write_text("")
    assert hatch_build.bundle_is_current(checkout)


def test_an_sdist_keeps_its_bundle_whatever_the_sources_say(checkout: Path) -> None:
    bundle(checkout)
    (checkout / "PKG-INFO").write_text("")
    (checkout / "frontend" / "src" / "app.css").write_text("body { color: blue }")
    assert hatch_build.bundle_is_current(checkout)


def test_a_bundler_that_fails_leaves_the_old_bundle_and_says_why(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist = bundle(checkout)
    (checkout / "frontend" / "src" / "app.css").write_text("body { color: blue }")
    (checkout / "frontend" / "build.mjs").write_text('console.error("no such icon"); process.exit(1)')
    monkeypatch.setattr(hatch_build, "install_packages", lambda _: None)
    with pytest.raises(hatch_build.BuildError, match="no such icon"):
        hatch_build.build_bundle(checkout)
    assert (dist / "manifest.json").is_file()
    assert [path.name for path in dist.parent.iterdir()] == ["dist"]


def test_a_catalogue_is_compiled_beside_its_source(tmp_path: Path) -> None:
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "chatsubo.po").write_text(CATALOGUE, encoding="utf-8")
    hatch_build.compile_catalogues(tmp_path)
    assert gettext.translation("chatsubo", tmp_path, ["fr"]).gettext("Start") == "Démarrer"


def test_a_catalogue_that_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "chatsubo.po").write_text(CATALOGUE, encoding="utf-8")
    hatch_build.compile_catalogues(tmp_path)
    before = (folder / "chatsubo.mo").stat()
    hatch_build.compile_catalogues(tmp_path)
    assert (folder / "chatsubo.mo").stat().st_mtime_ns == before.st_mtime_ns


def test_a_catalogue_that_is_broken_names_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "chatsubo.po").write_text(f"<<<<<<< HEAD\n{CATALOGUE}", encoding="utf-8")
    with pytest.raises(hatch_build.BuildError, match=r"chatsubo\.po"):
        hatch_build.compile_catalogues(tmp_path)
