"""A server of its own process for tests: the application on a real game and a real socket.

    python -m tests.web.served DATABASE KEEP_ALIVE PROXIES PUBLIC_URL

It prints its port and a player's token in one line once it listens, and tells everyone of each event whose name it
reads.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chatsubo.config.secrets import Secret
from chatsubo.domain.clock import utc_now
from chatsubo.game import Client, Game
from chatsubo.game.vpn import Vpn
from chatsubo.gates import Gates
from chatsubo.live.bus import EVERYONE, Bus, Event
from chatsubo.store.database import Database
from chatsubo.web import server as web_server
from chatsubo.web.application import create_application
from chatsubo.web.health import Part, Vitals
from chatsubo.web.settings import WebSettings

PASSWORD = "correct horse"
GRACE_SECONDS = 600
"""That the server grants to open answers at its end; so long, that a test which waits for them fails."""


async def _health() -> Vitals:
    return Vitals({"database": Part(ok=True)})


async def _serve(database: str, keep_alive: float, proxies: tuple[str, ...], public_url: str) -> None:
    web_server.GRACE_SECONDS = GRACE_SECONDS
    db, bus = Database.open(f"sqlite:///{database}"), Bus()
    game = Game.build(db, bus)
    _, token = await game.accounts.register("case", PASSWORD, client=Client("127.0.0.1"))
    web = WebSettings(
        public_url,
        Secret("signs"),
        trusted_proxies=proxies,
        allow_insecure_http=True,
        keep_alive=keep_alive,
    )
    async with Gates(()) as gates:
        application = create_application(game, bus, web, _health, Vpn(db, utc_now, gates))
        server = web_server.make_server(application, bus, web, host="127.0.0.1", port=0)
        serving = asyncio.create_task(server.serve())
        await server.ready.wait()
        sys.stdout.write(json.dumps({"port": server.address[1], "token": token}) + "\n")
        sys.stdout.flush()
        asyncio.get_running_loop().add_reader(sys.stdin, lambda: _publish(bus))
        await serving
    await game.aclose()
    await db.aclose()


def _publish(bus: Bus) -> None:
    """Tell everyone of the event whose name comes in."""
    if name := sys.stdin.readline().strip():
        bus.publish(EVERYONE, Event(name))
    else:
        asyncio.get_running_loop().remove_reader(sys.stdin)


@dataclass
class Served:
    """The process as its test sees it."""

    process: asyncio.subprocess.Process
    port: int
    token: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"chatsubo={self.token}"}

    async def publish(self, name: str) -> None:
        """Let the server tell everyone."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{name}\n".encode())
        await self.process.stdin.drain()


@asynccontextmanager
async def served(
    database: Path, *, keep_alive: float = 15.0, proxies: str = "", public_url: str = "http://127.0.0.1"
) -> AsyncIterator[Served]:
    """Start a server and end it afterwards."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "tests.web.served", str(database), str(keep_alive), proxies, public_url)
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    try:
        while not (line := await process.stdout.readline()).startswith(b'{"port"'):
            assert line, "the server did not start"
        ready = json.loads(line)
        yield Served(process, ready["port"], ready["token"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], float(sys.argv[2]), tuple(filter(None, sys.argv[3].split(","))), sys.argv[4]))
