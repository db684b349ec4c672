"""Waits until an instance's services answer."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25
_CONNECT_TIMEOUT = 2.0


async def answers(address: str, port: int, look: Callable[[], None]) -> None:
    """Return once a connection to the port is taken.

    Args:
        address: Where.
        port: The TCP port there.
        look: Called before each try; raises what is to be raised when there is no use in waiting any longer.
    """
    pause = _FIRST_PAUSE
    while True:
        look()
        with suppress(OSError):
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                _, writer = await asyncio.open_connection(address, port)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            return
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
