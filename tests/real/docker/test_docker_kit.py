"""The docker plugin on a real engine is held to what every provider is held to."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from chatsubo.providers.base import BaseInstance
from chatsubo.providers.docker import DockerProvider
from chatsubo.providers.docker.config import Api
from chatsubo.testing import ProviderKit, Proxied, Proxy
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
BROKEN = 'FROM alpine\nARG FLAG0\nARG SESSION\nLABEL chatsubo.session="$SESSION"\nRUN echo $FLAG0; env; exit 3\n'


class Reached:
    """A bench whose engine is reached through a proxy."""

    def __init__(self, bench: Bench, proxy: Proxy, socket: Path) -> None:
        self.bench = bench
        self.proxy = proxy
        self.socket = socket

    def make(self) -> DockerProvider:
        return self.bench.make(api=Api(socket=self.socket), public_host="127.0.0.1", request_timeout=20.0)


class DockerKit(Proxied, ProviderKit):
    waived: ClassVar[Mapping[str, str]] = {"secrets": "its credentials are files, which it never reads itself"}

    backend: Reached

    @property
    def proxy(self) -> Proxy:
        return self.backend.proxy

    @property
    def bench(self) -> Bench:
        return self.backend.bench

    @pytest.fixture
    async def hypervisor(self, bench: Bench, tmp_path: Path) -> AsyncIterator[Reached]:
        bench.template(self.template, HELLO)
        socket = tmp_path / "p.sock"
        with Proxy(bench.engine.socket, socket) as proxy:
            yield Reached(bench, proxy, socket)
            await bench.close()

    @pytest.fixture
    def provider(self, hypervisor: Reached) -> DockerProvider:
        return hypervisor.make()

    @pytest.fixture
    def other(self, hypervisor: Reached) -> DockerProvider:
        return hypervisor.make()

    async def spoil(self, instance: BaseInstance) -> None:
        await self.bench.shell(instance, "echo yes > /spoiled")

    async def is_spoiled(self, instance: BaseInstance) -> bool:
        return await self.bench.shell(instance, "cat /spoiled 2>/dev/null") == "yes\n"

    async def traces(self, session: str) -> list[str]:
        return await self.bench.left_of(session)


class TestDynamicDocker(DockerKit):
    """Templates below ``dockerfiles_root``."""

    async def plant_template(self, name: str, labels: Mapping[str, str]) -> None:
        ready = json.dumps({"image": "alpine", "labels": dict(labels)})
        self.bench.template(name, "", **{"image.yml": ready})

    async def plant_unusable(self) -> str:
        return self.bench.template("unusable", "FROM alpine\n")

    async def plant_broken(self) -> str:
        return self.bench.template("broken", BROKEN)


class TestClassicDocker(DockerKit):
    """Containers that an operator made."""

    abilities = frozenset({"classic"})

    @pytest.fixture
    def provider(self, hypervisor: Reached) -> DockerProvider:
        return hypervisor.bench.make(api=Api(socket=hypervisor.socket), dockerfiles_root=None)

    @pytest.fixture
    def other(self, hypervisor: Reached) -> DockerProvider:
        return hypervisor.bench.make(api=Api(socket=hypervisor.socket), dockerfiles_root=None)

    async def plant_machine(self, name: str, labels: Mapping[str, str]) -> None:
        ours = {**labels, "chatsubo.dynamic": "false"} if labels else {}
        options = [word for label in ours.items() for word in ("--label", "=".join(label))]
        await asyncio.to_thread(
            self.bench.engine.docker, "run", "-d", "--name", name, *options, "alpine", "sleep", "1000"
        )

    async def plant_unusable(self) -> str:
        await self.plant_machine("unusable", {**self.machine_labels("unusable"), "chatsubo.address": "nowhere"})
        return "unusable"

    async def halt(self, instance: BaseInstance) -> None:
        await asyncio.to_thread(self.bench.engine.docker, "kill", str(instance.id))
