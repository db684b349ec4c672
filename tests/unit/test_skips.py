"""A skip says what is missing, and is a failure where none is allowed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import AS_ROOT, LAB, Needs

ROOT = Path(__file__).parents[2]

SAMPLE = """
import pytest

@pytest.mark.skipif(True, reason="needs a moon: `make moon`")
def test_marked(): ...

def test_in_its_body():
    pytest.skip("no moon")

@pytest.fixture
def moon():
    pytest.skip("no moon either")

def test_in_its_fixture(moon): ...

@pytest.mark.xfail(strict=True, reason="known")
def test_known_failure():
    raise AssertionError

def test_fine(): ...
"""


def run_pytest(folder: Path, sample: str, **environment: str) -> str:
    file = folder / "test_sample.py"
    file.write_text(sample)
    without = {name: value for name, value in os.environ.items() if name != "CHATSUBO_NO_SKIP"}
    options = ["-c", os.devnull, f"--rootdir={folder}", "-p", "tests.conftest", "-p", "no:cacheprovider", "-ra"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(file)],
        cwd=ROOT,
        env=without | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=200,
    )
    return done.stdout


def test_a_skip_is_a_skip(tmp_path: Path) -> None:
    assert "1 passed, 3 skipped, 1 xfailed" in run_pytest(tmp_path, SAMPLE)


def test_a_skip_is_a_failure_where_none_is_allowed(tmp_path: Path) -> None:
    output = run_pytest(tmp_path, SAMPLE, CHATSUBO_NO_SKIP="1")
    # pytest calls what fails before a test's body an error.
    assert "1 failed, 1 passed, 1 xfailed, 2 errors" in output
    assert "needs a moon: `make moon`" in output


def test_a_file_that_skips_itself_is_an_error_where_none_is_allowed(tmp_path: Path) -> None:
    sample = "import pytest\npytest.importorskip('chatsubo_moon')\ndef test_it(): ...\n"
    assert "1 skipped" in run_pytest(tmp_path, sample)
    output = run_pytest(tmp_path, sample, CHATSUBO_NO_SKIP="1")
    assert "1 error" in output.splitlines()[-1]
    assert "chatsubo_moon" in output


@pytest.mark.parametrize(
    "name", ["root", "dockerd", "chromium", "postgresql", "bubblewrap", "wireguard", "openvpn", "nftables", "podman"]
)
def test_every_need_names_the_command_that_meets_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    mark = getattr(Needs(), name)
    assert mark.args == (True,)
    assert mark.kwargs["reason"].endswith((LAB, AS_ROOT))
