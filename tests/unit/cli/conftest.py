"""A way to run commands, with the plugins of the configuration's own tests."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chatsubo.cli import main
from chatsubo.providers.registry import Registry
from tests.unit.config.plugins import HINTS, KINDS

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``chatsubo`` with arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHATSUBO_CONFIG", raising=False)
    monkeypatch.delenv("CHATSUBO_DEBUG", raising=False)
    monkeypatch.setattr(Registry, "config_models", lambda _: KINDS)
    monkeypatch.setattr(Registry, "hints", lambda _: HINTS)

    def invoke(*arguments: str, env: Mapping[str, str] | None = None) -> Result:
        return CliRunner().invoke(main, arguments, env=env)

    return invoke
