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
from chatsubo.domain.clock import utc_now
from chatsubo.domain.errors import Conflict
from chatsubo.domain.text import N_
from chatsubo.lab.intents import ask_stop
from chatsubo.providers.registry import Registry
from chatsubo.store.sessions import live_sessions

HOST = "127.0.0.1"
PORT = 8080
CLOSING_SECONDS = 4.0


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
            await _close_machines(platform)


async def _close_machines(platform: Platform) -> None:
    """Stop the machines that run, so that a demo that was closed leaves none behind."""
    async with platform.db.write() as tx:
        for session in await live_sessions(tx):
            await ask_stop(tx, session.id, utc_now())
    platform.lab.wake()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSING_SECONDS):
            while await _machines(platform):  # noqa: ASYNC110  the bus is closed by now
                await asyncio.sleep(0.05)


async def _machines(platform: Platform) -> int:
    async with platform.db.read() as tx:
        return len(await live_sessions(tx))


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
