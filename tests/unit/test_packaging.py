"""What the repository holds and what it declares."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "chatsubo"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
PLUGINS: dict[str, str] = PROJECT["entry-points"]["chatsubo.providers"]
# Extras that are no plugin's: a database, and everything.
OTHER_EXTRAS = {"gate", "postgres", "all", "testing"}
GENERATED = re.compile(r"(^|/)(dist|node_modules|__pycache__|\.venv)/|\.(mo|pyc|map)$|\.min\.(js|css)$|\.egg-info")


def committed() -> list[str]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


def distribution(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


@cache
def modules_to_distributions() -> dict[str, set[str]]:
    return {module: {distribution(name) for name in names} for module, names in packages_distributions().items()}


def imported_modules(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"chatsubo"}


def allowed_distributions(room: str, subject: str) -> set[str]:
    """What a file may import: what every installation has, a plugin its extra, the kits for tests pytest."""
    requirements: list[Any] = [*PROJECT["dependencies"]]
    if room == "providers":
        requirements += EXTRAS.get(subject, [])
    if room == "gate":
        requirements += EXTRAS["gate"]
    if room in {"store", "jobs", "live"}:
        requirements += EXTRAS["postgres"]
    if room == "testing":
        requirements += EXTRAS["testing"]
    return {distribution(requirement) for requirement in requirements}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a checkout: run the tests in a clone")
def test_nothing_generated_is_committed() -> None:
    assert [path for path in committed() if GENERATED.search(path)] == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a checkout: run the tests in a clone")
def test_the_repository_stays_light() -> None:
    large = [path for path in committed() if (ROOT / path).is_file() and (ROOT / path).stat().st_size > 600_000]
    assert large == []


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_every_import_is_a_declared_dependency(file: Path) -> None:
    room, *rest = file.relative_to(PACKAGE).with_suffix("").parts
    allowed = allowed_distributions(room, rest[0] if rest else "")
    undeclared = {
        module
        for module in imported_modules(file)
        if not modules_to_distributions().get(module, {distribution(module)}) & allowed
    }
    assert undeclared == set()


def test_an_extra_exists_only_for_a_plugin_that_does() -> None:
    assert set(EXTRAS) - OTHER_EXTRAS <= set(PLUGINS)
    for target in PLUGINS.values():
        module = target.partition(":")[0].removeprefix("chatsubo.").replace(".", "/")
        assert (PACKAGE / module).is_dir()


def test_the_extra_all_leaves_nothing_out() -> None:
    (everything,) = EXTRAS["all"]
    names = re.fullmatch(r"chatsubo\[(.*)\]", everything)
    assert names is not None
    assert sorted(names[1].split(",")) == sorted(set(EXTRAS) - {"all", "testing"})


def test_what_builds_a_wheel_is_in_the_developers_environment() -> None:
    build = {distribution(requirement) for requirement in PYPROJECT["dependency-groups"]["build"]}
    assert {distribution(requirement) for requirement in PYPROJECT["build-system"]["requires"]} <= build


def test_the_lock_file_names_exact_versions_and_no_host() -> None:
    lock = (ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8")
    package = json.loads((ROOT / "frontend" / "package.json").read_text(encoding="utf-8"))
    wanted = package["dependencies"] | package["devDependencies"]
    locked = json.loads(lock)["packages"]
    assert '"resolved"' not in lock
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert [name for name, entry in locked.items() if name and "integrity" not in entry] == []


def test_the_list_of_icons_names_each_once() -> None:
    icons = json.loads((ROOT / "frontend" / "src" / "icons.json").read_text(encoding="utf-8"))
    assert [name for name in icons if icons.count(name) > 1] == []


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert sorted(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)) == sorted(phony[1].split())


def test_the_change_log_has_the_present_version_or_what_leads_to_it() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0] == PROJECT["version"]


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [int(page[:4]) for page in pages] == list(range(1, len(pages) + 1))
    assert re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")) == pages


def test_the_commands_of_the_read_me_and_the_guide_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"`(?:sudo )?(?:[A-Z_]+=\S+ )?make ([a-z]+)", (ROOT / page).read_text(encoding="utf-8")))
        assert named <= targets, page


def test_what_the_documentation_links_to_exists() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    links = {
        (page, link)
        for page in pages
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in link
    }
    assert [f"{page.name}: {link}" for page, link in sorted(links) if not (page.parent / link).exists()] == []
