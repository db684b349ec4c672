"""The local provider is held to what every provider is held to, with and without bubblewrap."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from chatsubo.providers.base import BaseInstance
from chatsubo.providers.local import LocalProvider
from chatsubo.testing import ProviderKit
from tests.lab.local.looking import ask, files_below, make_template, processes_below

HERE = "its hypervisor is this very machine"


class TestLocalProvider(ProviderKit):
    waived: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("away", "refuse", "hang", "slow", "halve", "garble"), HERE),
        "secrets": "its configuration keeps none",
    }

    @pytest.fixture
    def hypervisor(self, data: Path, templates: Path) -> tuple[Path, Path]:
        return data, templates

    @pytest.fixture
    def provider(self, make_provider: Callable[[], LocalProvider]) -> LocalProvider:
        return make_provider()

    @pytest.fixture
    def other(self, make_provider: Callable[[], LocalProvider]) -> LocalProvider:
        return make_provider()

    async def spoil(self, instance: BaseInstance) -> None:
        await asyncio.to_thread(ask, instance, "echo yes > ~/spoiled")

    async def is_spoiled(self, instance: BaseInstance) -> bool:
        return await asyncio.to_thread(ask, instance, "cat ~/spoiled 2>/dev/null") == "yes\n"

    async def traces(self, session: str) -> list[str]:
        data, _ = self.backend
        return processes_below(data, session) + [path for path in files_below(data) if session in path]

    async def plant_template(self, name: str, labels: Mapping[str, str]) -> None:
        text = {"command": ["true"], "labels": dict(labels)}
        make_template(self.backend[1], name, yaml.safe_dump(text, allow_unicode=True))

    async def plant_unusable(self) -> str:
        make_template(self.backend[1], "unusable", "comand: [sh]\n")
        return "unusable"

    async def plant_broken(self) -> str:
        text = 'command: ["sh", "-c", "cat flag; exit 3"]\nports: {tcp: 4000}\nfiles: {flag: $FLAG0}\n'
        make_template(self.backend[1], "broken", text)
        return "broken"
