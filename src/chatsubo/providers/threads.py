"""Plugins whose methods are plain functions: these run in a few threads of the provider's own, and hold nobody up."""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chatsubo.providers.base import BaseProvider

THREADS = 8
"""How many calls of one provider may be under way at once; a call that is abandoned keeps its thread until it ends."""

METHODS = (
    "check",
    "aclose",
    "list_templates",
    "list_instances",
    "reset",
    "start_dynamic_instance",
    "stop_dynamic_instance",
)


def with_plain_methods(provider: BaseProvider) -> BaseProvider:
    """Return ``provider``, whose methods can all be awaited now: those that are plain ``def`` run in threads."""
    plain = [name for name in METHODS if not inspect.iscoroutinefunction(getattr(provider, name))]
    if plain:
        threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"provider-{provider.name}")
        for name in plain:
            setattr(provider, name, _in(threads, getattr(provider, name)))
        setattr(provider, "aclose", _closing(threads, provider.aclose))  # noqa: B010  a method, as those above
    return provider


def _in(threads: ThreadPoolExecutor, method: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(threads, functools.partial(method, *args, **kwargs))

    return awaited


def _closing(threads: ThreadPoolExecutor, aclose: Callable[[], Awaitable[None]]) -> Callable[[], Any]:
    @functools.wraps(aclose)
    async def closed() -> None:
        await aclose()
        threads.shutdown(wait=False, cancel_futures=True)

    return closed
