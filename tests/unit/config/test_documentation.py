"""The operator's pages name every key, with its default, and their example is valid."""

import re
from pathlib import Path

import pytest
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from chatsubo.config import Database, Endpoints, Gate, Logging, Server

ROOT = Path(__file__).parents[3]
SECTIONS: dict[str, type[Struct]] = {
    "server.": Server,
    "database.": Database,
    "logging.": Logging,
    "endpoints.": Endpoints,
    "": Gate,
}
PAGES = [ROOT / "docs" / language / "configuration.md" for language in ("en", "fr")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_key_has_its_row_with_its_default(page):
    text = page.read_text()
    for prefix, model in SECTIONS.items():
        for field in fields(model):
            if field.name == "endpoints":
                continue
            row = re.search(rf"^\| `{prefix}{field.name}` \| (?P<default>[^|]+) \|", text, re.MULTILINE)
            assert row, f"{page}: no row for {prefix}{field.name}"
            if field.default is not NODEFAULT and field.default not in {"", None, ()}:
                default = field.default.reveal() if hasattr(field.default, "reveal") else field.default
                assert row["default"] == f"`{str(default).lower() if isinstance(default, bool) else default}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
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
