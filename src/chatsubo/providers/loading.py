"""Importing plugins, which may do anything: raise, hang, end the process, be something else than a plugin."""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from traceback import extract_tb
from typing import Any, TypeVar

import msgspec

from chatsubo.config import ProviderConfig
from chatsubo.domain.text import N_, Text
from chatsubo.providers.abilities import overrides
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.exc import described
from chatsubo.providers.seedstyle import SeedStyleProvider
from chatsubo.providers.seedstyle.base.provider import BaseProvider as SeedProvider
from chatsubo.providers.sources import Unusable

T = TypeVar("T")

LIMIT = 20.0
"""Seconds that a plugin's import may take."""

SEED_METHODS = ("from_config", "list_templates", "list_instances", "reset")


def within(limit: float, work: Callable[[], T], folder: Path | None = None) -> T:
    """Return what ``work`` returns, if it does so in time and without raising anything.

    It runs in a thread that nobody waits for at the end of the process.

    Args:
        limit: Seconds.
        work: Imports a plugin.
        folder: The plugin's folder, to say at which of its lines it raised.

    Raises:
        Unusable: If it raised anything, :class:`SystemExit` included, or did not end in time.
    """
    done: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001  a stranger's code
            raised.append(error)

    thread = threading.Thread(target=run, name="plugin-import", daemon=True)
    thread.start()
    thread.join(limit)
    if done:
        return done[0]
    if raised:
        if isinstance(raised[0], Unusable):
            raise raised[0]
        raise Unusable(_said(raised[0], folder)) from None
    raise Unusable(Text(N_("its import did not end within {seconds} s"), {"seconds": f"{limit:g}"}))


def find_class(candidates: Iterable[Any], kind: str) -> type[BaseProvider] | type[SeedProvider]:
    """Return the provider class of a module.

    Args:
        candidates: The module's values.
        kind: The kind that it should have.

    Raises:
        Unusable: If there is none, or several.
    """
    classes = {one for one in candidates if isinstance(one, type) and issubclass(one, BaseProvider | SeedProvider)}
    own = [one for one in classes if one not in {BaseProvider, SeedProvider}]
    if not own:
        raise Unusable(Text(N_("its provider.py has no subclass of BaseProvider")))
    fitting = [one for one in own if one.kind == kind]
    last = [one for one in fitting if not any(other is not one and issubclass(other, one) for other in fitting)]
    if not last:
        raise Unusable(wrong_kind(own[0].kind, kind))
    if len(last) > 1:
        names = ", ".join(sorted(one.__name__ for one in last))
        raise Unusable(Text(N_("its provider.py has several providers: {names}"), {"names": names}))
    return last[0]


def wrong_kind(kind: object, expected: str) -> Text:
    """Say that a plugin has another kind than its name."""
    return Text(N_("its kind is {kind}, its name {name}"), {"kind": repr(kind), "name": repr(expected)})


def examined(found: Any, kind: str) -> type[BaseProvider] | type[SeedProvider]:
    """Return ``found``, if it is a provider's class that can be used.

    Raises:
        Unusable: If it is not.
    """
    if not (isinstance(found, type) and issubclass(found, BaseProvider | SeedProvider)):
        raise Unusable(Text(N_("it is not a subclass of BaseProvider")))
    if found.kind != kind:
        raise Unusable(wrong_kind(found.kind, kind))
    if issubclass(found, SeedProvider):
        missing = [name for name in SEED_METHODS if not overrides(found, SeedProvider, name)]
    else:
        missing = sorted(getattr(found, "__abstractmethods__", ()))
        _examine_config(found.Config)
    if missing:
        raise Unusable(Text(N_("it lacks the methods {names}"), {"names": ", ".join(missing)}))
    return found


def adapted(kind: str, found: type[BaseProvider] | type[SeedProvider]) -> type[BaseProvider]:
    """Return a plugin's class, or the class that runs it if it is written as the founding document shows."""
    return SeedStyleProvider.running(kind, found) if issubclass(found, SeedProvider) else found


def _examine_config(model: Any) -> None:
    if not (isinstance(model, type) and issubclass(model, ProviderConfig)):
        raise Unusable(Text(N_("its Config is not a subclass of ProviderConfig")))
    try:
        msgspec.inspect.type_info(model)
    except Exception as error:  # noqa: BLE001  whatever its annotations are
        reason = {"reason": described(error)}
        raise Unusable(Text(N_("its Config cannot be used: {reason}"), reason)) from None


def _said(error: BaseException, folder: Path | None) -> Text:
    """Say what was raised, and where in the plugin's own code."""
    params = {"error": described(error)}
    lines = [one for one in extract_tb(error.__traceback__) if folder and Path(one.filename).is_relative_to(folder)]
    if not lines or isinstance(error, SyntaxError):
        return Text("{error}", params)
    assert folder is not None
    place = {"file": str(Path(lines[-1].filename).relative_to(folder)), "line": lines[-1].lineno}
    return Text(N_("{error} ({file}, line {line})"), {**params, **place})
