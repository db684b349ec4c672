"""A dynamic plugin in the founding document's style is held to the kit, as the platform runs it."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner

from chatsubo.cli import main
from chatsubo.config import load
from chatsubo.providers.base import BaseInstance, BaseProvider
from chatsubo.providers.registry import Registry
from chatsubo.testing import ProviderKit
from chatsubo.testing.kit.live import OLD_STYLE

YARD = Path(__file__).parents[1] / "plugins" / "seed_dynamic" / "yard"
DOCKERFILE = """FROM scratch
LABEL chatsubo.template="{name}" chatsubo.session="$SESSION" {labels}
"""
HELLO = {
    "chatsubo.flags.user.value": "$FLAG0",
    "chatsubo.flags.user.points": "100",
    "chatsubo.creds.ssh.username": "level0",
    "chatsubo.creds.ssh.password": "$RNG0",
}
FLAGS = "test_a_reset_keeps_address_flags_and_creds"
OF_ITS_OWN = {
    FLAGS: OLD_STYLE[FLAGS],
    "test_a_start_that_fails_leaves_nothing": "False says that a start failed, and not why",
}


class YardKit(ProviderKit):
    """Each machine is a folder, each template a Dockerfile."""

    flags = None
    creds = None
    secrets = ("hunter2-long-one",)
    waived: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("refuse", "hang", "slow", "halve", "garble"), "its machines are folders on this one"),
        "plant_unusable": "it leaves out what it cannot use, and there is nothing to be told of it",
    }

    @pytest.fixture
    def hypervisor(self, tmp_path: Path) -> Path:
        shutil.copytree(YARD, tmp_path / "plugins" / "yard")
        (tmp_path / "yard" / "machines").mkdir(parents=True)
        self.template_at(tmp_path, "hello", HELLO)
        return tmp_path

    @pytest.fixture
    def provider(self, hypervisor: Path) -> BaseProvider:
        return self.make(hypervisor)

    def make(self, there: Path) -> BaseProvider:
        file = self.configured(there)
        registry = Registry.load(there / "plugins")
        return registry.build(load(file, registry.config_models(), environ={}))["lab"]

    def configured(self, there: Path) -> Path:
        yard = there / "yard"
        lab = {"realms": ["wz01"], "dockerfiles_root": str(yard / "templates"), "machines": str(yard / "machines")}
        file = there / "chatsubo.yml"
        file.write_text(json.dumps({"providers": {"yard": {"lab": {**lab, "password": self.secrets[0]}}}}))
        return file

    def template_at(self, there: Path, name: str, labels: Mapping[str, str]) -> None:
        folder = there / "yard" / "templates" / name
        folder.mkdir(parents=True)
        told = " ".join(f"{key}={json.dumps(value)}" for key, value in labels.items())
        (folder / "Dockerfile").write_text(DOCKERFILE.format(name=name, labels=told))

    async def spoil(self, instance: BaseInstance) -> None:
        (self.backend / "yard" / "machines" / str(instance.id) / "spoiled").touch()

    async def is_spoiled(self, instance: BaseInstance) -> bool:
        return bool((self.backend / "yard" / "machines" / str(instance.id) / "spoiled").exists())

    async def traces(self, session: str) -> list[str]:
        return [path.name for path in (self.backend / "yard" / "machines").iterdir() if session in path.name]

    async def plant_template(self, name: str, labels: Mapping[str, str]) -> None:
        self.template_at(self.backend, name, labels)

    async def plant_broken(self) -> str:
        self.template_at(self.backend, "cursed", HELLO)
        return "cursed"

    async def away(self) -> None:
        (self.backend / "yard").rename(self.backend / "away")

    async def back(self) -> None:
        if (self.backend / "away").exists():
            (self.backend / "away").rename(self.backend / "yard")


class TestYard(YardKit):
    """As a platform that was started again finds it."""

    known_failures: ClassVar[Mapping[str, str]] = {**OLD_STYLE, **OF_ITS_OWN}

    @pytest.fixture
    def other(self, hypervisor: Path) -> BaseProvider:
        return self.make(hypervisor)


class TestYardInOneProcess(YardKit):
    """What the platform itself remembers of generations, it keeps to."""

    known_failures: ClassVar[Mapping[str, str]] = OF_ITS_OWN

    @pytest.fixture
    def other(self, provider: BaseProvider) -> BaseProvider:
        return provider

    async def test_a_live_check_spares_it_what_it_cannot_be_asked(self, hypervisor: Path) -> None:
        words = ["plugin", "check", "yard", "--config", str(self.configured(hypervisor))]
        done = await asyncio.to_thread(CliRunner().invoke, main, words)
        assert done.exit_code == 0, done.output
        assert "a plugin in the old style is told no generation" in done.output
        assert "✓ A start that was cancelled ends as cancelled" in done.output
