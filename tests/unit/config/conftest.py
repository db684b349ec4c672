"""A folder to configure in, and two ways to read what was written."""

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from chatsubo.config import Config, ConfigError, Problem, load
from tests.unit.config.plugins import HINTS, KINDS

Read = Callable[..., Config]
Refuse = Callable[..., tuple[Problem, ...]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the configuration; the working directory is another one, beside it."""
    (tmp_path / "working").mkdir()
    monkeypatch.chdir(tmp_path / "working")
    (tmp_path / "config").mkdir()
    return tmp_path / "config"


@pytest.fixture
def read(folder: Path) -> Read:
    """Write a text (or bytes) to the file and load it."""

    def run(text: str | bytes, environ: Mapping[str, str] | None = None) -> Config:
        raw = text if isinstance(text, bytes) else dedent(text).encode()
        (folder / "chatsubo.yml").write_bytes(raw)
        return load(folder / "chatsubo.yml", KINDS, hints=HINTS, environ=environ or {})

    return run


@pytest.fixture
def refuse(read: Read) -> Refuse:
    """Write a text to the file, and return the problems that loading it finds."""

    def run(text: str | bytes, environ: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
        with pytest.raises(ConfigError) as caught:
            read(text, environ)
        return caught.value.problems

    return run
