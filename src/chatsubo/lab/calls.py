"""Calls of providers: each has a time limit, and raises nothing but a provider's errors."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

import structlog

from chatsubo.lab.reading import read_text
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.exc import ProviderError, TimedOut, described
from chatsubo.providers.redaction import spoken

T = TypeVar("T")

CLOSING, GIVING_UP = 1.0, 0.2
"""Seconds that a provider may take to close its connections, and then to be called off."""

log = structlog.get_logger(__name__)


async def bounded(call: Awaitable[T], limit: float, calling_off: float) -> T:
    """Return what a provider's ``call`` returns.

    The call is a task of its own, so that one that does not even react to being cancelled cannot hold up anything.

    Args:
        call: The coroutine of the call.
        limit: Seconds that it may take.
        calling_off: Seconds that it may take to clean up after it was cancelled; then it is abandoned.

    Raises:
        TimedOut: If the limit passed.
        ProviderError: As the provider says, with values that can be kept; also for whatever else a plugin raised.
    """
    task = asyncio.ensure_future(contained(call))
    try:
        done, _ = await asyncio.wait({task}, timeout=limit)
    except asyncio.CancelledError:
        await _call_off(task, calling_off)
        raise
    if not done:
        await _call_off(task, calling_off)
        raise TimedOut(f"no answer within {limit:.0f} s")
    try:
        return task.result()
    except ProviderError as error:
        error.params = dict(read_text(error.text).params)
        raise
    except asyncio.CancelledError:
        raise ProviderError("the plugin cancelled its own call") from None
    except BaseException as error:
        log.exception("provider.misbehaved")
        raise ProviderError(spoken(described(error))) from error


async def contained(call: Awaitable[T]) -> T:
    """Return what ``call`` returns. What would end the process, not only the task, ends the call alone.

    Raises:
        RuntimeError: In place of what would end the process.
    """
    try:
        return await call
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(described(error)) from error


async def close_all(providers: Iterable[BaseProvider]) -> None:
    """Close what ``providers`` hold open, all at once. One that cannot, or hangs, is told of in the log."""
    await asyncio.gather(*map(_close, providers))


async def _close(provider: BaseProvider) -> None:
    try:
        await bounded(provider.aclose(), CLOSING, GIVING_UP)
    except ProviderError as error:
        log.warning("provider.not_closed", provider=provider.name, reason=error.detail)


async def _call_off(task: "asyncio.Future[T]", within: float) -> None:
    task.cancel()
    task.add_done_callback(_retrieve)
    await asyncio.wait({task}, timeout=within)
    if not task.done():
        log.warning("provider.call_abandoned", after=within)


def _retrieve(task: "asyncio.Future[T]") -> None:
    """Take note of how it ended, which nobody waits for any more."""
    if not task.cancelled():
        task.exception()
