"""The scripts behind `make`: quiet unless something fails, and then clear about what to do."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(SCRIPTS / script), *arguments],
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=200,
    )


def test_a_step_that_succeeds_says_one_line_and_leaves_standard_output_alone(tmp_path: Path) -> None:
    done = run("quietly.sh", "Doing it", "sh", "-c", "echo noise; echo more >&2", TMPDIR=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "==> Doing it\n")
    assert list(tmp_path.iterdir()) == []


def test_a_step_that_fails_shows_all_it_said_and_passes_its_status_on(tmp_path: Path) -> None:
    done = run("quietly.sh", "Doing it", "sh", "-c", "echo noise; echo why >&2; exit 7", TMPDIR=str(tmp_path))
    assert done.returncode == 7
    assert done.stderr.startswith("==> Doing it\nnoise\nwhy\n==> Failed (7): sh -c")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("too_old", [False, True])
def test_without_a_python_that_is_new_enough_one_learns_what_to_install(tmp_path: Path, too_old: bool) -> None:
    python = tmp_path / "python"
    if too_old:
        python.write_text("#!/bin/sh\nexit 1\n")  # what the check of the version comes to
        python.chmod(0o755)
    done = run("venv.sh", str(tmp_path / "environment"), PYTHON=str(python))
    assert done.returncode == 1
    assert "Python 3.11 or later" in done.stderr
    assert "apt-get install" in done.stderr
    assert not (tmp_path / "environment").exists()


def test_the_lab_says_what_is_missing_to_who_may_not_install_it(tmp_path: Path) -> None:
    for name, body in {"apt-get": "exit 1", "dpkg-query": "exit 1", "id": "echo 1000", "grep": "exit 1"}.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    done = run("lab.sh", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "sudo make lab" in done.stderr
    assert "docker.io" in done.stderr


def test_a_lab_that_is_there_is_left_alone(tmp_path: Path) -> None:
    for name, body in {"apt-get": "exit 1", "dpkg-query": "exit 0", "grep": "exit 0"}.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    done = run("lab.sh", PATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "==> The lab is there: every package is installed.\n")
