"""What a check asks for, and which checks a plugin is asked: by what it can do, never by what it is called."""

import asyncio
import functools
import types
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

ABILITIES = ("dynamic", "classic")
"""What a provider can do: start machines on demand; show and reset machines that are there."""

Check = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whether a check is put to a plugin.

    Attributes:
        name: The check's name.
        missing: The ability or the hook that it lacks; empty where the check is run.
        reason: Why it is not run, or why it is known to fail; empty else.
        waived: Whether that is as it should be, so that nothing is to be told of it in a run.
    """

    name: str
    missing: str = ""
    reason: str = ""
    waived: bool = False


def asks(*needs: str) -> Callable[[Check], Check]:
    """Mark a check with what it needs: abilities of the provider, and hooks of the kit's subclass.

    The check has a time limit, the kit's ``limit``.
    """

    def mark(check: Check) -> Check:
        @functools.wraps(check)
        async def limited(self: Any) -> None:
            try:
                async with asyncio.timeout(self.limit) as clock:
                    await check(self)
            except TimeoutError:
                if clock.expired():
                    raise AssertionError(f"it was not done within {self.limit:.0f} s") from None
                raise

        limited.needs = needs  # type: ignore[attr-defined]
        return limited

    return mark


def needs_of(check: Check) -> tuple[str, ...]:
    """Return what a check needs."""
    return tuple(getattr(check, "needs", ()))


def checks_of(kit: type) -> dict[str, Check]:
    """Return the checks that a class or those it is made of define, by name, in the order they are written."""
    owned = (item for owner in kit.__mro__ for item in vars(owner).items())
    return {name: one for name, one in owned if hasattr(one, "needs") and not _is_copy(one)}


def decide(kit: type, name: str, needs: tuple[str, ...], missing: Callable[[str], bool]) -> Asked:
    """Return whether the check ``name`` is put to the plugin that ``kit`` is for.

    Args:
        kit: A kit's subclass, with its ``abilities``, ``waived`` and ``known_failures``.
        name: The check.
        needs: What it needs.
        missing: Tells whether an ability or a hook is missing.
    """
    waived: Mapping[str, str] = getattr(kit, "waived", {})
    known: Mapping[str, str] = getattr(kit, "known_failures", {})
    for need in needs:
        if need in waived:
            return Asked(name, need, waived[need], waived=True)
        if missing(need):
            if need in ABILITIES:
                return Asked(name, need, f"the provider is not {need}", waived=True)
            return Asked(name, need, f"give {need}() in {kit.__name__} to run it, or say in `waived` why not")
    return Asked(name, reason=known.get(name, ""))


def put(kit: type, check: Check, asked: Asked) -> None:
    """Put a check to the plugin that ``kit`` is for, as was decided: as it is, skipped, expected to fail, or not."""
    mark: pytest.MarkDecorator | None = None
    if asked.missing and not asked.waived:
        mark = pytest.mark.skip(reason=asked.reason)
    elif asked.reason and not asked.missing:
        mark = pytest.mark.xfail(reason=asked.reason, strict=True)
    setattr(kit, asked.name, None if asked.waived else _copy(check, mark))


def _copy(check: Any, mark: pytest.MarkDecorator | None) -> Any:
    copied = types.FunctionType(check.__code__, check.__globals__, check.__name__, closure=check.__closure__)
    copied.__dict__.update(check.__dict__)
    copied.__doc__, copied.__module__, copied.__qualname__ = check.__doc__, check.__module__, check.__qualname__
    copied.copied = True  # type: ignore[attr-defined]
    return mark(copied) if mark else copied


def _is_copy(check: object) -> bool:
    return hasattr(check, "copied")
