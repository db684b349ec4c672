"""What ``chatsubo inventory`` shows: what each configured provider lists now, and what it takes to list it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatsubo.config import Config
from chatsubo.lab.calls import bounded, close_all
from chatsubo.lab.reading import read_each, read_instance, read_template
from chatsubo.providers.base import BaseProvider, Rejected
from chatsubo.providers.exc import ProviderError
from chatsubo.providers.registry import Registry
from chatsubo.store.listings import ListedInstance, ListedTemplate

SECONDS = 60.0
CALLING_OFF = 1.0


@dataclass(frozen=True, slots=True)
class Stock:
    """What one provider shows.

    Attributes:
        provider: Its name.
        kind: Which plugin.
        realms: The realms that it serves.
        is_dynamic: Whether it starts instances on demand.
        templates, instances, rejected: What it lists.
        seconds: How long the two listings took.
        requests: How many requests they took; ``None`` where the plugin does not count.
        problem: Why it could not be listed; ``None`` if it could.
    """

    provider: str
    kind: str
    realms: Sequence[str]
    is_dynamic: bool
    templates: Sequence[ListedTemplate] = ()
    instances: Sequence[ListedInstance] = ()
    rejected: Sequence[Rejected] = ()
    seconds: float = 0.0
    requests: int | None = None
    problem: str | None = None


async def take_stock(config: Config, registry: Registry, *, limit: float = SECONDS) -> list[Stock]:
    """Ask every provider at the same time, each for ``limit`` seconds at most. Nothing is changed or stored."""
    providers = registry.build(config)
    try:
        return list(await asyncio.gather(*(_stock(provider, limit) for provider in providers.values())))
    finally:
        await close_all(providers.values())


async def _stock(provider: BaseProvider, limit: float) -> Stock:
    began = time.monotonic()
    bare = Stock(provider.name, provider.kind, tuple(provider.list_realms()), provider.is_dynamic)
    try:
        stock = await bounded(_filled(provider, bare), limit, CALLING_OFF)
    except ProviderError as error:
        stock = replace(bare, problem=error.detail or str(error.text))
    return replace(stock, seconds=time.monotonic() - began)


async def _filled(provider: BaseProvider, bare: Stock) -> Stock:
    """Return the stock with what is listed. Called within bounds: what a plugin lists may be anything."""
    before = provider.requests_sent
    shown, there = await provider.list_templates(), await provider.list_instances()
    templates, unfit = read_each(shown.items, read_template)
    instances, strange = read_each(there.items, read_instance)
    refused = (*shown.rejected, *there.rejected, *unfit, *strange)
    rejected = {(one.name, str(one.reason)): one for one in refused}
    return replace(
        bare,
        is_dynamic=provider.is_dynamic,
        templates=templates,
        instances=instances,
        rejected=tuple(rejected.values()),
        requests=None if provider.requests_sent is None else provider.requests_sent - (before or 0),
    )
