"""The guide to the conformance kit: its code runs, its hooks are all there, its table is of today."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chatsubo.testing import ProviderKit
from chatsubo.testing.kit import HOOKS
from chatsubo.testing.kit.ground import Ground
from chatsubo.testing.kit.results import read_results
from scripts.support_matrix import KITS, PAGES, RESULTS, with_matrix
from tests.docs.pages import DOCS, LANGUAGES, Page

GUIDES = {language: Page(PAGES[language]) for language in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_plugin_of_the_other_guide_passes_the_kit_as_this_one_shows_it(language: str, tmp_path: Path) -> None:
    plugin = [block for block in Page(DOCS / language / "plugin-authors.md").blocks if block.language == "python"]
    package = tmp_path / "chatsubo_rack"
    package.mkdir()
    for name, code in zip(("__init__", "instance", "provider"), ("", plugin[0].code, plugin[1].code), strict=True):
        (package / f"{name}.py").write_text(code, encoding="utf-8")
    [test] = [block.code for block in GUIDES[language].blocks if block.language == "python"]
    (tmp_path / "test_rack.py").write_text(test, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_rack.py"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_hook_has_its_row(language: str) -> None:
    text = PAGES[language].read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert {*HOOKS, "traces", "back", "hypervisor", "provider", "other"} <= told


def test_every_hook_is_one_that_can_be_given() -> None:
    assert all(hasattr(Ground, hook) for hook in HOOKS)
    asked = {need for check in ProviderKit.checks().values() for need in getattr(check, "needs", ())}
    assert asked - {"dynamic", "classic", "planting", "may_reset"} <= set(HOOKS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_of_what_plugins_can_do_is_of_today(language: str) -> None:
    text = PAGES[language].read_text(encoding="utf-8")
    assert text == with_matrix(text, language), "run scripts/support_matrix.py"


def test_every_check_that_our_plugins_are_asked_has_its_result() -> None:
    results = read_results(RESULTS)
    asked = {
        (kit.__name__, name.removeprefix("test_")): "known" if kit.asked(name).reason else "passed"
        for kits in KITS.values()
        for kit in kits
        for name in ProviderKit.checks()
        if not kit.asked(name).missing
    }
    assert results == asked, "run scripts/support_matrix.py --run"


def test_nothing_is_skipped_of_the_kits_of_our_own_plugins() -> None:
    for kits in KITS.values():
        for kit in kits:
            states = [kit.asked(name) for name in ProviderKit.checks()]
            assert [f"{kit.__name__}: {one.reason}" for one in states if one.missing and not one.waived] == []
