"""What the checks expect, with sentences that say what was seen instead."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from chatsubo.providers.exc import ProviderError


async def raised(call: Awaitable[object], *expected: type[ProviderError]) -> ProviderError:
    """Return the error that ``call`` ends with.

    Args:
        call: What should fail.
        expected: What it may raise.

    Raises:
        AssertionError: It returned, or raised anything else.
    """
    names = " or ".join(one.__name__ for one in expected)
    try:
        await call
    except expected as error:
        return error
    except ProviderError as error:
        raise AssertionError(f"it raised {type(error).__name__} ({error.detail}) instead of {names}") from error
    except Exception as error:
        raise AssertionError(f"it raised {_described(error)}, which is no ProviderError") from error
    raise AssertionError(f"it returned, where it should have raised {names}")


async def failure_of(call: Awaitable[object]) -> ProviderError | None:
    """Return the error that ``call`` ends with, None if it succeeded.

    Raises:
        AssertionError: It raised what is no error of a provider.
    """
    try:
        await call
    except ProviderError as error:
        return error
    except Exception as error:
        raise AssertionError(f"it raised {_described(error)}, which is no ProviderError") from error
    return None


async def ended(task: "asyncio.Future[Any]", seconds: float) -> bool:
    """Return whether ``task`` ended, well or badly, within ``seconds``; what it ended with is taken note of."""
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done and not task.cancelled():
        task.exception()
    return bool(done)


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
