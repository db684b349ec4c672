"""Folders of plugins, and what a configuration makes of them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatsubo.config import Config, load
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.registry import Registry

HERE = Path(__file__).parent

Configured = Callable[..., tuple[Config, Registry]]


@pytest.fixture
def configured(tmp_path: Path) -> Configured:
    """Read a configuration whose plugins are copies of folders of this one."""

    def configure(*plugins: str, **providers: dict[str, Any]) -> tuple[Config, Registry]:
        for plugin in plugins:
            shutil.copytree(HERE / plugin, tmp_path / "plugins" / Path(plugin).name)
        file = tmp_path / "chatsubo.yml"
        kinds = {kind: {"lab": {"realms": ["wz01"], **settings}} for kind, settings in providers.items()}
        file.write_text(json.dumps({"server": {"allow_insecure_http": True}, "providers": kinds}))
        registry = Registry.load(tmp_path / "plugins")
        models = registry.config_models()
        return load(file, models, hints=registry.hints(), disabled=registry.reasons(), environ={}), registry

    return configure


@pytest.fixture
def provider(configured: Configured) -> Callable[..., BaseProvider]:
    """The provider called ``lab`` of such a configuration."""

    def build(plugin: str, **settings: Any) -> BaseProvider:
        config, registry = configured(plugin, **{Path(plugin).name: settings})
        assert not [one for one in registry.disabled if one.way == "folder"]
        return registry.build(config)["lab"]

    return build
