"""Every configuration that a page shows can be used."""

import re
from pathlib import Path

import pytest
import yaml

from chatsubo.config import ConfigError, load
from chatsubo.providers.registry import Registry
from tests.docs.pages import MANUAL, Block, Page

SECTIONS = {"providers", "vpns", "server", "database", "plugins", "media", "logging"}
FRAGMENT = ("# part of chatsubo.yml", "# un extrait de chatsubo.yml")
FILES = re.compile(r"""(?:cert|key|ca|file): "?([^",}]+)"?""")


def _sections(block: Block) -> set[str]:
    loaded = yaml.safe_load(block.code)
    return set(loaded) if isinstance(loaded, dict) else set()


def _configurations() -> list[tuple[Page, Block]]:
    return [
        (page, block)
        for page in MANUAL
        for block in page.blocks
        if block.language == "yaml" and _sections(block) & SECTIONS
    ]


SHOWN = _configurations()


@pytest.mark.parametrize(("page", "block"), SHOWN, ids=[f"{page.name}:{block.line}" for page, block in SHOWN])
def test_a_configuration_can_be_used_unless_it_is_marked_as_a_part(page, block, tmp_path):
    if block.code.startswith(FRAGMENT):
        assert _sections(block) <= SECTIONS
        return
    file = _with_its_files(block.code, tmp_path)
    registry = Registry.load()
    config = load(file, registry.config_models(), hints=registry.hints(), environ={})
    assert config.warnings == ()


def test_a_configuration_that_is_wrong_would_be_noticed(tmp_path):
    registry = Registry.load()
    with pytest.raises(ConfigError):
        load(_with_its_files("server: {urll: x}", tmp_path), registry.config_models(), environ={})


def test_the_guides_show_configurations_in_both_languages():
    languages = [page.path.parent.name for page, _ in SHOWN]
    assert languages.count("en") == languages.count("fr") >= 4


def _with_its_files(code: str, folder: Path) -> Path:
    """Write the configuration, and the files that it names, into ``folder``."""
    for name in FILES.findall(code):
        (folder / Path(name).name).write_text("x\n", encoding="utf-8")
        (folder / Path(name).name).chmod(0o600)
    file = folder / "chatsubo.yml"
    file.write_text(code, encoding="utf-8")
    return file
