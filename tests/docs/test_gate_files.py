"""Every gate's file that a page shows can be used."""

import re
from pathlib import Path

import pytest

from chatsubo.gate.config import GateConfig, Listen, load_gate
from tests.docs.pages import MANUAL, Block, Page

SHOWN = [
    (page, block)
    for page in MANUAL
    for block in page.blocks
    if block.language == "yaml" and "auth_token:" in block.code
]


@pytest.mark.parametrize(("page", "block"), SHOWN, ids=[f"{page.name}:{block.line}" for page, block in SHOWN])
def test_a_gates_file_can_be_used(page: Page, block: Block, tmp_path: Path):
    """Its files are put below the test's own folder."""
    code = re.sub(r'file: "/[^"]*/([^"/]+)"', rf'file: "{tmp_path}/\1"', block.code)
    for name in re.findall(r'file: "([^"]+)"', code):
        Path(name).write_text("x\n")
    file = tmp_path / "gate.yml"
    file.write_text(code)
    assert load_gate(file, {}).realm == "wz01"


def test_both_languages_show_gates_files():
    languages = [page.path.parent.name for page, _ in SHOWN]
    assert languages.count("en") == languages.count("fr") >= 3


def test_each_key_of_a_gates_file_is_explained():
    """Those of ``listen`` with a dot."""
    for page in (one for one in MANUAL if one.path.name == "gates.md"):
        keys = set(page.inline_code)
        wanted = {*GateConfig.__struct_fields__, *(f"listen.{name}" for name in Listen.__struct_fields__)} - {"listen"}
        assert wanted <= keys, page.name
