"""The docker plugin on a real engine is held to what every provider is held to, the shipped fake first."""

import pytest

from chatsubo.providers.base import BaseInstance, BaseProvider
from tests.contract.provider_contract import ProviderContract
from tests.real.docker.bench import Bench

HELLO = """FROM alpine
ARG FLAG0
ARG FLAG1
ARG RNG0
ARG SESSION
LABEL chatsubo.session="$SESSION" chatsubo.flags.user.value="$FLAG0" chatsubo.flags.user.points="100" \\
      chatsubo.flags.root.value="$FLAG1" chatsubo.flags.root.points="200" \\
      chatsubo.creds.ssh.username="level0" chatsubo.creds.ssh.password="$RNG0"
EXPOSE 80
CMD nc -ll -p 80 -e date
"""


class TestDockerProvider(ProviderContract):
    @pytest.fixture(autouse=True)
    def _bench(self, bench: Bench) -> None:
        self.bench = bench
        bench.template(self.template, HELLO)

    @pytest.fixture
    def provider(self, bench: Bench) -> BaseProvider:
        return bench.make()

    @pytest.fixture
    def other(self, bench: Bench) -> BaseProvider:
        return bench.make()

    async def spoil(self, instance: BaseInstance) -> None:
        await self.bench.shell(instance, "echo yes > /spoiled")

    async def is_spoiled(self, instance: BaseInstance) -> bool:
        return await self.bench.shell(instance, "cat /spoiled 2>/dev/null") == "yes\n"

    async def traces(self, session: str) -> list[str]:
        return await self.bench.left_of(session)
