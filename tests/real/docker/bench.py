"""What tests of the docker plugin work with."""

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from chatsubo.config import Host
from chatsubo.domain.text import Text
from chatsubo.domain.values import make_values
from chatsubo.providers.base import BaseInstance, Limits, StartOrder
from chatsubo.providers.docker import DockerProvider
from chatsubo.providers.docker.config import Api, Client, DockerConfig
from tests.real.dockerd import LIMIT, Dockerd

REALM = "wz01"
NUMBERS = itertools.count(1)
DOCUMENTED = """FROM alpine
ARG FLAG0
ARG RNG0=toor
ARG SESSION
LABEL chatsubo.template="hello" chatsubo.session="$SESSION" \\
      chatsubo.flags.first.value="$FLAG0" chatsubo.flags.first.points="250" \\
      chatsubo.creds.ssh.username="level0" chatsubo.creds.ssh.password="$RNG0"
RUN echo "$FLAG0" > /root/flag
"""
LABELS = """FROM alpine
ARG FLAG0
ARG SESSION
LABEL chatsubo.session="$SESSION" chatsubo.flags.first.value="$FLAG0" chatsubo.flags.first.points="250"
"""
SHARED = f'{LABELS}LABEL chatsubo.file.FLAG0="/root/flag"\n'
SERVES_FLAG = "EXPOSE 80\nCMD nc -ll -p 80 -e cat /root/flag\n"
SLEEPS = "CMD sleep 1000\n"


class Heard:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.output = ""
        self._changed = asyncio.Event()

    def stage(self, text: Text) -> None:
        self.stages.append(str(text))
        self._changed.set()

    def log(self, output: str) -> None:
        self.output += output
        self._changed.set()

    async def until(self, told: str) -> None:
        """Wait until a stage or the output says ``told``."""
        while told not in self.stages and told not in self.output:
            self._changed.clear()
            await self._changed.wait()


class Bench:
    """A provider on an engine.

    Attributes:
        engine: The engine.
        provider: The provider.
        root: The folder of templates.
    """

    def __init__(self, engine: Dockerd, folder: Path) -> None:
        self.engine = engine
        self.root = folder / "templates"
        self.root.mkdir()
        self.name = f"bench{next(NUMBERS)}"
        self._providers: list[DockerProvider] = []
        self.provider = self.make()

    def make(self, *, name: str = "", **fields: Any) -> DockerProvider:
        """Return another provider on the same engine."""
        certificates = {key: Path(path) for key, path in self.engine.client_certs.items()}
        defaults: dict[str, Any] = {
            "realms": (REALM,),
            "api": Api(host=Host(self.engine.host), client=Client(**certificates)),
            "dockerfiles_root": self.root,
            "subnet": self.engine.subnets[0],
            "reachable": True,
            "ready_timeout": LIMIT,
            "request_timeout": LIMIT,
        }
        config = DockerConfig(**{**defaults, **fields})
        provider = DockerProvider.from_config(name or self.name, config, ())
        self._providers.append(provider)
        return provider

    def template(self, name: str, text: str, **files: str) -> str:
        """Write a template with a Dockerfile, or another file where its name says so, and return its name."""
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        for file, content in {"Dockerfile": text, **files}.items():
            if content:
                (folder / file).write_text(content)
        return name

    def order(self, session: str = "", *, generation: int = 1, limit: float = LIMIT, **more: Any) -> StartOrder:
        """Return the order for a session, for a new one where none is named."""
        session = session or str(uuid.uuid4())
        values = more.pop("values", None) or make_values(session, "FLAG")
        more.setdefault("limits", Limits())
        return StartOrder(session, values, generation, time.monotonic() + limit, **more)

    def again(self, order: StartOrder, generation: int, limit: float = LIMIT) -> StartOrder:
        """Return the order for a reset of what ``order`` started."""
        return self.order(order.id, generation=generation, limit=limit, values=order.values)

    async def start(self, template: str, order: StartOrder, provider: DockerProvider | None = None) -> BaseInstance:
        """Start an instance."""
        return await (provider or self.provider).start_dynamic_instance(REALM, template, order.id, order)

    async def shell(self, instance: BaseInstance, script: str) -> str:
        """Run a script as root in an instance and return its output."""
        return await asyncio.to_thread(self.engine.execute, str(instance.id), script)

    async def read(self, instance: BaseInstance, port: int = 80) -> str:
        """Return what an instance's service says, over the network."""
        assert instance.address
        return (await asyncio.to_thread(self.engine.read_from, instance.address, port)).decode()

    def said(self, session: str) -> str:
        """Return what the container of a session has written."""
        [container] = self.engine.containers(f"chatsubo.session={session}")
        return self.engine.docker("logs", container["Id"]).stdout

    async def until_gone(self, command: str) -> None:
        """Wait until no container is left that runs ``command``: the engine ends it on its own time."""
        end = time.monotonic() + LIMIT
        while command in json.dumps(await asyncio.to_thread(self.engine.containers)):
            assert time.monotonic() < end
            await asyncio.sleep(0.05)

    async def left_of(self, session: str) -> list[str]:
        """Return the containers and images that are left of a session."""
        label = f"chatsubo.session={session}"
        containers = await asyncio.to_thread(self.engine.containers, label)
        images = await asyncio.to_thread(self.engine.images)
        tags = [tag for image in images for tag in image["RepoTags"] or () if session in tag]
        labelled = await asyncio.to_thread(self.engine.images, label)
        return [*(one["Names"][0] for one in containers), *tags, *(one["Id"] for one in labelled)]

    def intercept(self, number: int, act: Callable[[], Awaitable[None]], *, after: bool) -> None:
        """Do something at one request to the engine, counted from 1: before it is sent, or after it was answered."""
        original = self.provider._engine.ask
        count = itertools.count(1)

        async def ask(work: Any, *, limit: float | None = None) -> Any:
            hit = next(count) == number
            if hit and not after:
                await act()
            try:
                return await original(work, limit=limit)
            finally:
                if hit and after:
                    await act()

        self.provider._engine.ask = ask  # type: ignore[method-assign]

    def stop_intercepting(self) -> None:
        """Ask the engine directly again."""
        self.provider._engine.__dict__.pop("ask", None)

    async def close(self) -> None:
        """Remove all that the providers made."""
        for provider in self._providers:
            await provider.aclose()
        names = {provider.name for provider in self._providers}
        ours = [
            container["Id"]
            for container in await asyncio.to_thread(self.engine.containers)
            if container["Labels"].get("chatsubo.provider") in names
            or container["Labels"].get("chatsubo.dynamic") == "false"
        ]
        if ours:
            await asyncio.to_thread(self.engine.docker, "rm", "--force", "--volumes", *ours)
        await asyncio.to_thread(self.engine.request, "POST", "/networks/prune")
