"""Starting the demo."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from chatsubo.app.demo.content import Credentials, seed
from chatsubo.app.demo.settings import write_settings
from chatsubo.app.logs import configure_logs
from chatsubo.app.platform import Platform, running
from chatsubo.config import load
from chatsubo.domain.errors import Conflict
from chatsubo.domain.text import N_
from chatsubo.providers.registry import Registry

HOST = "127.0.0.1"
PORT = 8080


class PortTaken(Conflict):
    """Something else listens on the port that was asked for."""

    code = "port-taken"
    message = N_("Port {port} is taken. Name another one with --port.")


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that answers.

    Attributes:
        url: Where it is.
        admin: The organiser.
        player: The player.
        platform: All of its parts.
        serving: Ends when it was told to stop.
    """

    url: str
    admin: Credentials
    player: Credentials
    platform: Platform
    serving: "asyncio.Task[None]"


@contextlib.asynccontextmanager
async def demo(folder: Path, port: int | None = None) -> AsyncIterator[Demo]:
    """Start the demo, and give it once it answers. It is told to stop afterwards.

    Args:
        folder: Where it keeps its data; made if it is not there. A folder that is kept keeps the game.
        port: The port to listen on; ``None`` takes 8080, or any that is free.

    Raises:
        EngineInUse: If a demo runs in this folder already.
        PortTaken: If the port is taken.
    """
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    registry = Registry.load()
    chosen = _free_port(port)
    file = write_settings(folder, chosen, docker="docker" in registry.plugins)
    config = load(file, registry.config_models(), hints=registry.hints())
    configure_logs(config.logging)
    async with running(config, registry, demo=True) as platform:
        admin, player = await seed(platform, folder)
        serving = asyncio.create_task(platform.server.serve())
        ready = asyncio.create_task(platform.server.ready.wait())
        await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            ready.cancel()
            serving.result()
        try:
            yield Demo(config.server.url, admin, player, platform, serving)
        finally:
            platform.server.stop()
            await serving


def _free_port(port: int | None) -> int:
    """Return ``port`` if it can be listened on; where none is named, 8080 or any other one."""
    for candidate in (PORT, 0) if port is None else (port,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise PortTaken(port=port)
