"""Blocking work in threads, which is never left half done."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")

_MAX_THREADS = 8


class Threads:
    """A bounded pool of threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="local-provider")

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call ``function`` in a thread and return its result.

        Who is cancelled meanwhile is so only when the function has come to its end: what it makes can be removed then.
        """
        future = asyncio.get_running_loop().run_in_executor(self._pool, partial(function, *arguments))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([future])
            # Looked at, so that asyncio does not report it as lost.
            _ = future.cancelled() or future.exception()
            raise

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False)
