"""Local providers with real processes, with and without bubblewrap."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chatsubo.providers.local import LocalConfig, LocalProvider
from tests.lab.local.looking import make_template, processes_below
from tests.needs import need

PATIENCE = 120.0
"""Seconds that a box may take, and its services: far more than they do, even where the machine is busy."""

LABELS = """
labels:
  chatsubo.name: Hello
  chatsubo.flags.user.value: $FLAG0
  chatsubo.flags.user.points: 100
  chatsubo.flags.root.value: $FLAG1
  chatsubo.flags.root.points: 250
  chatsubo.creds.ssh.username: level0
  chatsubo.creds.ssh.password: $RNG0
"""

HELLO = f"""
command: ["{{python}}", shell.py, $ADDRESS, $PORT_TCP]
ports: {{tcp: 4000}}
files:
  flags/user.txt: $FLAG0
{LABELS}
"""

SHELL = """
import socketserver, subprocess, sys

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            done = subprocess.run(line.decode(), shell=True, capture_output=True, text=True)
            self.wfile.write((done.stdout + done.stderr + "\\0").encode())

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


@pytest.fixture(params=[pytest.param("bubblewrap", marks=need.bubblewrap), "none"])
def sandbox(request: pytest.FixtureRequest) -> str:
    """The test runs in each kind of sandbox."""
    return str(request.param)


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder for instances. Other accounts may pass through it, unlike pytest's own: root runs boxes under such."""
    folder = Path(tempfile.mkdtemp(prefix="chatsubo-local."))
    folder.chmod(0o711)
    yield folder
    left = processes_below(folder)
    for line in left:
        with suppress(ProcessLookupError):
            os.kill(int(line.split()[0]), signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
    assert not left, "the test has left processes behind"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A folder with the template ``hello``: a service that runs what it is sent in a shell."""
    root = tmp_path / "templates"
    make_template(root, "hello", HELLO, {"shell.py": SHELL})
    return root


@pytest.fixture
def config(sandbox: str, data: Path, templates: Path) -> Callable[..., LocalConfig]:
    """Makes configurations."""

    def make(**changes: Any) -> LocalConfig:
        given: dict[str, Any] = {"realms": ("wz01",), "templates_root": templates, "data": data, "sandbox": sandbox}
        return LocalConfig(**{"ready_timeout": PATIENCE, **given, **changes})

    return make


@pytest.fixture
def make_provider(config: Callable[..., LocalConfig]) -> Callable[..., LocalProvider]:
    """Makes providers that share one folder, as a platform that was started again does."""
    return lambda **changes: LocalProvider("here", config(**changes))


@pytest.fixture
def provider(make_provider: Callable[..., LocalProvider]) -> LocalProvider:
    """A provider."""
    return make_provider()


@pytest.fixture
def other(make_provider: Callable[..., LocalProvider]) -> LocalProvider:
    """Another provider object of the same name and folder."""
    return make_provider()
