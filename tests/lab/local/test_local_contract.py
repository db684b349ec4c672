"""The local provider is held to what every provider is held to, with and without bubblewrap."""

import asyncio
from pathlib import Path

import pytest

from chatsubo.providers.base import BaseInstance
from tests.contract.provider_contract import ProviderContract
from tests.lab.local.looking import ask, files_below, processes_below


class TestLocalProvider(ProviderContract):
    @pytest.fixture(autouse=True)
    def _folder(self, data: Path) -> None:
        self.data = data

    async def spoil(self, instance: BaseInstance) -> None:
        await asyncio.to_thread(ask, instance, "echo yes > ~/spoiled")

    async def is_spoiled(self, instance: BaseInstance) -> bool:
        return await asyncio.to_thread(ask, instance, "cat ~/spoiled 2>/dev/null") == "yes\n"

    async def traces(self, session: str) -> list[str]:
        return processes_below(self.data, session) + [path for path in files_below(self.data) if session in path]
