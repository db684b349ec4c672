"""Recorded exchanges between platforms and gates, and a small server that answers as one of them was recorded.

Nothing here knows the platform's client or the platform's own gate.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recordings"


@dataclass(frozen=True)
class Exchange:
    """What was asked and what was answered, byte for byte."""

    title: str
    request: bytes
    answer: bytes

    @property
    def path(self) -> str:
        return self.request.split(b" ", 2)[1].decode()

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers that matter, by their names in lower case."""
        return {name: value for name, value in _headers(self.request).items() if name != "host"}

    @property
    def status(self) -> int:
        return int(self.answer.split(b" ", 2)[1])

    @property
    def body(self) -> bytes:
        return self.answer.partition(b"\r\n\r\n")[2]

    @property
    def said(self) -> Any:
        """What the answer's JSON holds."""
        return json.loads(self.body)


def recording(name: str) -> list[Exchange]:
    """Read a recording."""
    return list(_exchanges((FOLDER / f"{name}.http").read_text().splitlines()))


@asynccontextmanager
async def replaying(exchanges: list[Exchange]) -> AsyncIterator[tuple[str, list[str]]]:
    """Answer on loopback as was recorded, one exchange after the other.

    Yields:
        The server's address, and a list of what was asked otherwise than it was recorded.
    """
    left, otherwise = list(exchanges), list[str]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while asked := await _request(reader):
                expected = left.pop(0)
                line, headers = asked.split(b"\r\n", 1)[0], _headers(asked)
                if line != expected.request.split(b"\r\n", 1)[0] or not expected.headers.items() <= headers.items():
                    otherwise.append(asked.decode())
                writer.write(expected.answer)
                await writer.drain()
                if "content-length" not in _headers(expected.answer):
                    break
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}", otherwise


async def _request(reader: asyncio.StreamReader) -> bytes:
    """Return the next request of a connection, or nothing at its end; none has a body."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return b""


def _headers(message: bytes) -> dict[str, str]:
    lines = message.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _exchanges(lines: list[str]) -> Iterator[Exchange]:
    starts = [number for number, line in enumerate(lines) if line.startswith("### ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        asked, answered = ([line[2:] for line in lines[start:end] if line.startswith(mark)] for mark in (">", "<"))
        yield Exchange(lines[start][4:], _message(asked), _message(answered))


def _message(lines: list[str]) -> bytes:
    end = lines.index("")
    return "\r\n".join([*lines[:end], "", ""]).encode() + "\n".join(lines[end + 1 :]).encode()
