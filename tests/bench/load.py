"""A load of requests over kept connections: plain asyncio streams, so that the visitor costs less than the server."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Request = Callable[[int], bytes]
"""Returns the bytes of the request of that number."""


@dataclass
class Load:
    """How a load went.

    Attributes:
        seconds: How long each answer took.
        statuses: How often each status came.
        took: How long all of it took.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    took: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.took

    def percentile(self, share: float) -> float:
        """The time within which this share of the answers came, in seconds."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


async def run(port: int, request: Request, *, count: int, connections: int) -> Load:
    """Send ``count`` requests over so many connections at once, each the next one when its answer is there."""
    load = Load()
    numbers = iter(range(count))
    began = time.perf_counter()
    await asyncio.gather(*(_visitor(port, request, numbers, load) for _ in range(connections)))
    load.took = time.perf_counter() - began
    return load


async def _visitor(port: int, request: Request, numbers: Iterator[int], load: Load) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in numbers:
        began = time.perf_counter()
        writer.write(request(number))
        status = await _answer(reader)
        load.seconds.append(time.perf_counter() - began)
        load.statuses[status] = load.statuses.get(status, 0) + 1
    writer.close()
    await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    await reader.readexactly(length)
    return int(head[9:12])
