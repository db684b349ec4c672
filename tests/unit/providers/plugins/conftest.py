"""A folder of plugins to write into."""

import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from chatsubo.providers import installed
from chatsubo.providers.namespaces import PACKAGE

SEED = """
from app.providers.base.provider import BaseProvider

class Provider(BaseProvider):
    kind = "{kind}"

    @classmethod
    def from_config(cls, name, raw_conf, vpns):
        return cls(raw_conf["realms"], vpns, cls.kind)

    def list_templates(self):
        return [{{"name": "{kind}", "labels": {{}}}}]

    def list_instances(self, realm=None):
        return []

    def reset(self, realm, template, session=None):
        return True
"""

Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of plugins."""
    made = tmp_path / "plugins"
    made.mkdir(mode=0o755)
    return made


@pytest.fixture
def write(folder: Path) -> Write:
    """Write a plugin: its kind, and the text of its files; without any, it is one that works."""

    def written(kind: str, provider: str | None = None, **files: str) -> Path:
        place = folder / kind
        place.mkdir(mode=0o755)
        code = SEED.format(kind=kind) if provider is None else textwrap.dedent(provider)
        for name, text in {"provider": code, **files}.items():
            file = place / f"{name}.py"
            file.write_text(textwrap.dedent(text))
            file.chmod(0o644)
        return place

    return written


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """Forget the plugins' modules."""
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the installed plugins be these: their names, and their modules and classes."""

    def only(*entries: tuple[str, str]) -> None:
        found = [EntryPoint(name, value, installed.GROUP) for name, value in entries]
        monkeypatch.setattr(installed, "entry_points", lambda *, group: found if group else [])

    return only
