"""A client of OpenVPN's management interface, on a Unix socket.

OpenVPN talks to one such client at a time, and lets the next wait. This one connects for each question and leaves: it
needs nothing that is told in between, there is nothing to mend after either side was started again, and a person's
``chatsubo gate status`` or a second process gets its turn. Connecting costs 0.2 ms.

Protocol: ``doc/management-notes.txt`` in OpenVPN's sources.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from chatsubo.gate.errors import TunnelError

LIMIT_SECONDS = 5.0
_LONGEST_LINE = 2**16
_NO_NAME = "UNDEF"


class Session(Struct, frozen=True, kw_only=True):
    """A client that is connected.

    Attributes:
        name: Its certificate's common name.
        number: What the server calls the connection (``CID``).
        since: Since when, in seconds since 1970.
        received: Bytes that came from the client.
        sent: Bytes that went to it.
        endpoint: Where its packets come from, as ``host:port``.
    """

    name: str
    number: int
    since: int
    received: int
    sent: int
    endpoint: str


class Management:
    """The client. Every call has a time limit.

    Args:
        path: The socket.
        limit: The seconds that the server has for an answer.
    """

    def __init__(self, path: Path, limit: float = LIMIT_SECONDS) -> None:
        self._path, self._limit = path, limit

    async def is_up(self) -> bool:
        """Return whether the server has its interface and its port, and takes clients.

        Raises:
            TunnelError: It does not answer.
        """
        async with self._dialogue() as dialogue:
            answer = await dialogue.lines("state")
        return bool(answer) and answer[-1].split(",")[1:2] == ["CONNECTED"]

    async def sessions(self) -> list[Session]:
        """Return the clients that are connected.

        Raises:
            TunnelError: The server does not answer.
        """
        async with self._dialogue() as dialogue:
            return parse_status(await dialogue.lines("status 3"))

    async def end(self, names: Iterable[str], *, others: bool = False) -> None:
        """End the connections of clients at once; those that are gone are no trouble.

        ``client-kill`` tells the client to end, and leaves the connection open for some seconds more; ``kill`` closes
        it, and tells nobody, so that alone it would leave an honest client waiting for a while.

        Args:
            names: The clients' common names.
            others: End the connections of all but these.

        Raises:
            TunnelError: The server does not answer.
        """
        meant = set(names)
        async with self._dialogue() as dialogue:
            for one in parse_status(await dialogue.lines("status 3")):
                if (one.name in meant) is not others:
                    await dialogue.line(f"client-kill {one.number} HALT")
                    await dialogue.line(f"kill {one.name}")

    @asynccontextmanager
    async def _dialogue(self) -> AsyncIterator["_Dialogue"]:
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(self._limit):
                reader, writer = await asyncio.open_unix_connection(self._path, limit=_LONGEST_LINE)
            yield _Dialogue(reader, writer, self._limit)
        except TimeoutError as error:
            reason = "does not answer, or somebody else talks to it"
            raise TunnelError(f"OpenVPN's management socket {self._path} {reason}") from error
        except (OSError, EOFError, ValueError) as error:
            raise TunnelError(f"OpenVPN's management socket {self._path} does not answer: {error}") from error
        finally:
            if writer is not None:
                writer.transport.abort()


class _Dialogue:
    """Questions to the server, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: float) -> None:
        self._reader, self._writer, self._limit = reader, writer, limit

    async def lines(self, question: str) -> list[str]:
        """Return an answer of several lines."""
        found: list[str] = []
        async with asyncio.timeout(self._limit):
            first = await self._ask(question)
            while first != "END":
                if first.startswith("ERROR:"):
                    raise ValueError(first)
                found.append(first)
                first = await self._next()
        return found

    async def line(self, question: str) -> str:
        """Return an answer of one line, be it that it went well or not."""
        async with asyncio.timeout(self._limit):
            return await self._ask(question)

    async def _ask(self, question: str) -> str:
        self._writer.write(f"{question}\n".encode())
        await self._writer.drain()
        return await self._next()

    async def _next(self) -> str:
        # What begins with ">" is told unasked: a greeting, a client that came, a change of state.
        while (line := await self._reader.readline()).startswith(b">"):
            pass
        if not line.endswith(b"\n"):
            raise EOFError("it went away")
        return line.decode("utf-8", "replace").rstrip("\r\n")


def parse_status(lines: Sequence[str]) -> list[Session]:
    """Return the clients in an answer to ``status 3``; lines that are not understood are left out.

    Args:
        lines: The answer, without its end.
    """
    found: list[Session | None] = []
    columns: list[str] = []
    for line in lines:
        kind, *cells = line.split("\t")
        if kind == "HEADER" and cells[:1] == ["CLIENT_LIST"]:
            columns = cells[1:]
        elif kind == "CLIENT_LIST" and len(cells) == len(columns):
            found.append(_session(dict(zip(columns, cells, strict=True))))
    return [one for one in found if one is not None and one.name != _NO_NAME]


def _session(said: dict[str, str]) -> Session | None:
    try:
        return Session(
            name=said["Common Name"],
            number=int(said["Client ID"]),
            since=int(said["Connected Since (time_t)"]),
            received=int(said["Bytes Received"]),
            sent=int(said["Bytes Sent"]),
            endpoint=said["Real Address"],
        )
    except (KeyError, ValueError):
        return None
