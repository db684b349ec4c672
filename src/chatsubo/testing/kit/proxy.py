"""Something that stands between a provider and its hypervisor, and spoils the conversation when told to."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from enum import Enum
from pathlib import Path
from typing import Any, Self, TypeVar

from chatsubo.testing.kit.ground import Ground

T = TypeVar("T")

DELAY = 0.5
"""Seconds that a slow hypervisor takes for each answer."""
CHUNK = 65_536
REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 23\r\n\r\n"
REFUSAL += b'{"message": "refused"}\n'
GARBAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 32\r\n\r\n<html>Be back in a minute</html>"


class Mood(Enum):
    """What the proxy does with an answer."""

    PASS = "pass"  # noqa: S105  a mood, no password
    HANG = "hang"
    SLOW = "slow"
    HALVE = "halve"
    REFUSE = "refuse"
    GARBLE = "garble"


class Proxy:
    """A proxy for TCP and Unix sockets; for ``refuse`` and ``garble``, the hypervisor must speak plain HTTP.

    It works in a thread of its own. Use it as a context manager::

        with Proxy("127.0.0.1:8006") as proxy:
            ...  # a provider for 127.0.0.1, proxy.port

    Args:
        target: Where the hypervisor is: ``HOST:PORT``, or the path of a Unix socket.
        path: Listen on a Unix socket there, instead of on a port of 127.0.0.1.

    Attributes:
        port: The port that it listens on; 0 for a Unix socket.
        requests: How many pieces were sent to the hypervisor so far.
    """

    def __init__(self, target: str | Path, path: Path | None = None) -> None:
        self.port = 0
        self.requests = 0
        self._target = target
        self._path = path
        self._mood = Mood.PASS
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kit-proxy", daemon=True)
        self._door: socket.socket | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        self._do(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening, and close every connection."""
        self._do(self._close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def away(self) -> None:
        """Be out of reach: new connections are refused, those there are break."""
        self._do(self._close)

    def back(self) -> None:
        """Pass everything again, on new connections."""
        self.become(Mood.PASS)

    def become(self, mood: Mood) -> None:
        """Do something else with answers from now on. Connections there are break, so that it holds for all."""
        self._do(self._close)
        self._mood = mood
        self._do(self._listen)

    def _do(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(timeout=30)

    async def _listen(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            door = socket.socket(socket.AF_UNIX)
            door.bind(str(self._path))
            door.listen()
        else:
            door = socket.create_server(("127.0.0.1", self.port))
            self.port = door.getsockname()[1]
        door.setblocking(False)
        asyncio.get_running_loop().add_reader(door, self._take, door)
        self._door = door

    def _take(self, door: socket.socket) -> None:
        # Taken here at once: an asyncio server that is closed just then forgets a connection without closing it, and
        # who made it waits for ever.
        try:
            link, _ = door.accept()
        except OSError:
            return  # its client has gone again
        task = asyncio.get_running_loop().create_task(self._serve(link))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        task.add_done_callback(lambda _: link.close())

    async def _close(self) -> None:
        if self._door is not None:
            asyncio.get_running_loop().remove_reader(self._door)
            self._door.close()
            self._door = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        for writer in list(self._open):
            writer.transport.abort()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, link: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=link.dup())
        self._open.add(writer)
        try:
            await self._converse(reader, writer)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()
            self._open.discard(writer)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mood in {Mood.REFUSE, Mood.GARBLE}:
            answer = REFUSAL if self._mood is Mood.REFUSE else GARBAGE
            while await reader.read(CHUNK):
                writer.write(answer)
                await writer.drain()
            return
        there, to = await self._connect()
        self._open.add(to)
        ways = {asyncio.ensure_future(self._ask(reader, to)), asyncio.ensure_future(self._answer(there, writer))}
        try:
            _, rest = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            # A client may end its side of a request and still wait for the answer.
            await asyncio.wait(rest, timeout=DELAY)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to.close()
            self._open.discard(to)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(self._target)
        host, _, port = self._target.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def _ask(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while piece := await reader.read(CHUNK):
            self.requests += 1
            to.write(piece)
            await to.drain()
        if to.can_write_eof():
            to.write_eof()

    async def _answer(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await there.read(CHUNK):
            if self._mood is Mood.HANG:
                await asyncio.get_running_loop().create_future()
            if self._mood is Mood.SLOW:
                await asyncio.sleep(DELAY)
            sent = _half_of(piece) if self._mood is Mood.HALVE else piece
            writer.write(sent)
            await writer.drain()
            if len(sent) < len(piece):
                return


def _half_of(piece: bytes) -> bytes:
    """Return the first half of a piece of an answer; headers of HTTP stay whole, and promise what is missing."""
    head, end, body = piece.rpartition(b"\r\n\r\n")
    return head + end + body[: len(body) // 2]


class Proxied(Ground):
    """Gives the hooks of a hypervisor's weather from a :class:`Proxy`. Put it before ``ProviderKit``.

    The proxy is what :attr:`proxy` returns: ``self.backend`` itself, unless a subclass says otherwise.
    """

    @property
    def proxy(self) -> Proxy:
        """The proxy between the provider and its hypervisor."""
        found = self.backend
        assert isinstance(found, Proxy), "give a property `proxy` that returns the Proxy"
        return found

    async def away(self) -> None:
        """Take the hypervisor out of reach."""
        await asyncio.to_thread(self.proxy.away)

    async def refuse(self) -> None:
        """Answer every request with 403."""
        await asyncio.to_thread(self.proxy.become, Mood.REFUSE)

    async def hang(self) -> None:
        """Take requests and answer none."""
        await asyncio.to_thread(self.proxy.become, Mood.HANG)

    async def slow(self) -> None:
        """Take half a second for each answer."""
        await asyncio.to_thread(self.proxy.become, Mood.SLOW)

    async def halve(self) -> None:
        """Break off in the middle of each answer."""
        await asyncio.to_thread(self.proxy.become, Mood.HALVE)

    async def garble(self) -> None:
        """Answer a page of HTML, with success."""
        await asyncio.to_thread(self.proxy.become, Mood.GARBLE)

    async def back(self) -> None:
        """Pass everything again."""
        await asyncio.to_thread(self.proxy.back)
