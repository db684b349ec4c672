"""Holding a provider to the kit without pytest: for ``chatsubo plugin check``, and for tests of the kit itself."""

import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chatsubo.lab.calls import contained
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.threads import METHODS, with_plain_methods
from chatsubo.testing.kit.provider import ProviderKit

Ground = tuple[Any, BaseProvider, BaseProvider]
"""What the three fixtures give: the hypervisor, the provider, another object of it."""


class Outcome(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    KNOWN = "known"
    """It failed, as its kit says that it does."""
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check.

    Attributes:
        check: Its name, without ``test_``.
        outcome: How it ended.
        reason: Why it failed, or was not asked; empty else.
        seconds: How long it took.
    """

    check: str
    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0

    @property
    def sentence(self) -> str:
        """The check's name as a sentence."""
        return self.check.replace("_", " ").capitalize()


async def hold(kit: type[ProviderKit], make: Callable[[], Awaitable[Ground]], only: str = "") -> AsyncIterator[Result]:
    """Hold a provider to each check of its kit in turn, and yield what came of it. Nothing is left behind.

    Args:
        kit: Says what is asked.
        make: Gives new ground to a check.
        only: A part of the names of the checks that are wanted.

    Raises:
        RuntimeError: Python runs with ``-O``, and no check could fail.
    """
    if not __debug__:
        raise RuntimeError("the kit works with assert statements: run Python without -O")
    for name, check in kit.checks().items():
        asked, short = kit.asked(name), name.removeprefix("test_")
        if only not in short:
            continue
        if asked.missing:
            yield Result(short, Outcome.NOT_ASKED, asked.reason)
            continue
        began = time.monotonic()
        reason = await _failure(kit, check, await make())
        took = time.monotonic() - began
        if asked.reason:
            outcome = Outcome.KNOWN if reason else Outcome.FAILED
            yield Result(short, outcome, asked.reason if reason else f"it passes now: {asked.reason}", took)
        else:
            yield Result(short, Outcome.FAILED if reason else Outcome.PASSED, reason, took)


async def _failure(kit: type[ProviderKit], check: Callable[[Any], Awaitable[None]], ground: Ground) -> str:
    """Return why the check failed, nothing if it passed."""
    one = kit()
    one.backend, first, second = ground
    one.first, one.second, one.sessions = _harmless(first), _harmless(second), []
    reason = ""
    try:
        await check(one)
    except Exception as error:  # noqa: BLE001  a stranger's plugin may raise anything
        reason = _said(error)
    finally:
        try:
            await one.clean()
        except Exception as error:  # noqa: BLE001
            reason = reason or _said(error)
    return reason


def _harmless(provider: BaseProvider) -> BaseProvider:
    """Return ``provider`` with methods that can all be awaited, none of which can end this process."""
    provider = with_plain_methods(provider)
    for name in METHODS:
        setattr(provider, name, _contained(getattr(provider, name)))
    return provider


def _contained(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def call(*args: Any, **kwargs: Any) -> Any:
        return await contained(method(*args, **kwargs))

    return call


def _said(error: Exception) -> str:
    text = str(error).strip()
    if isinstance(error, AssertionError) and text:
        return text.splitlines()[0]
    return f"it raised {type(error).__name__}: {text}" if text else f"it raised {type(error).__name__}"
