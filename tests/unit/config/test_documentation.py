"""The operator's pages name every key, with its default, and their example is valid."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from chatsubo.config import ByteSize, Config, Gate, ProviderConfig, Secret
from chatsubo.providers.registry import Registry

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "docs" / language / "configuration.md" for language in ("en", "fr")]
NOT_IN_THE_FILE = {"providers", "disabled", "vpns", "warnings", "source"}

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)


def _keys(model: type[Struct], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield the path and the field of every key of ``model``, and of the models in it."""
    for field in fields(model):
        nested = [each for each in (field.type, *get_args(field.type)) if isinstance(each, type(Struct))]
        if nested:
            yield from _keys(nested[0], f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", field


def _shown(default: object) -> str:
    match default:
        case bool():
            return f"`{str(default).lower()}`"
        case Secret():
            return f"`{default.reveal()}`"
        case ByteSize():
            return f"`{default >> 20}m`"
    return f"`{default}`"


def _assert_documented(section: str, model: type[Struct], page: Path, apart: frozenset[str] | set[str]) -> None:
    for path, field in _keys(model):
        if path.partition(".")[0] in apart:
            continue
        row = re.search(rf"^\| `{re.escape(path)}` \| (?P<default>[^|]+) \|", section, re.MULTILINE)
        assert row, f"{page}: no row for {path}"
        plain = (
            field.default is not NODEFAULT and field.default not in {"", None} and not isinstance(field.default, tuple)
        )
        if plain:
            assert row["default"] == _shown(field.default), f"{page}: the default of {path}"


def _section(page: Path, heading: str) -> str:
    level = heading.partition(" ")[0]
    begin = page.read_text().partition(f"\n{heading}\n")[2]
    assert begin, f"{page}: no section {heading}"
    return re.split(rf"\n#{{2,{len(level)}}} ", begin)[0]


@pages
def test_every_key_of_the_platform_has_its_row_with_its_default(page):
    _assert_documented(page.read_text(), Config, page, NOT_IN_THE_FILE)
    _assert_documented(_section(page, "## `vpns`"), Gate, page, frozenset())


@pages
def test_every_key_of_our_own_plugins_has_its_row_with_its_default(page):
    ours = [each for each in Registry.load().plugins.values() if each.__module__.startswith("chatsubo.")]
    assert ours
    for plugin in ours:
        _assert_documented(_section(page, f"### `{plugin.kind}`"), plugin.Config, page, {"realms"})
    _assert_documented(_section(page, "## `providers`"), ProviderConfig, page, frozenset())


@pages
def test_the_example_is_valid(page, read, folder):
    example = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)[0]
    (folder / "gate.token").write_text("hunter2\n")
    (folder / "gate.token").chmod(0o600)
    as_engine = (
        example.replace("docker:", "engine:", 1).replace("dockerfiles_root", "root").replace(', ca: "ca.pem"', "")
    )
    for name in ("cert.pem", "key.pem"):
        (folder / name).touch()
    config = read(as_engine)
    assert config.warnings == ()
    assert config.vpns[0].token.reveal() == "hunter2"
    assert config.providers[0].name == "wz_docker"


def test_both_languages_have_the_same_tables():
    english, french = (re.findall(r"^\| (`[^|]+`) \|", page.read_text(), re.MULTILINE) for page in PAGES)
    assert english == french
