"""What each provider last showed: what pages are made from, so that none of them waits for a hypervisor."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.labels import Creds, Flag
from chatsubo.domain.text import Text
from chatsubo.store.machines import Endpoint, Machine
from chatsubo.store.tables import provider_listings
from chatsubo.store.upsert import put_row


class RejectedEntry(Struct, frozen=True):
    """Something on the provider that cannot be used, or not wholly.

    Attributes:
        name: What it is called there.
        reason: Why, in words for organisers.
    """

    name: str
    reason: Text


class ListedTemplate(Struct, frozen=True, kw_only=True):
    """A template as its provider last showed it.

    Attributes:
        name: Its name.
        dynamic: Whether an own instance can be started from it.
        title: The box's name, to prefill its registration; likewise the next five.
        description: Markdown.
        os: One of :data:`chatsubo.domain.labels.SYSTEMS`.
        category: The track's name.
        difficulty: 1 to 10.
        duration: Minutes that a session lasts.
        flags: Flags to prefill; an empty value means that each start makes a new one.
        creds: The initial accesses.
        warnings: What an organiser should mend.
    """

    name: str
    dynamic: bool
    title: str | None = None
    description: str | None = None
    os: str | None = None
    category: str | None = None
    difficulty: int | None = None
    duration: int | None = None
    flags: tuple[Flag, ...] = ()
    creds: tuple[Creds, ...] = ()
    warnings: tuple[Text, ...] = ()


class ListedInstance(Struct, frozen=True, kw_only=True):
    """An instance as its provider last showed it.

    Attributes:
        id: What the hypervisor calls it.
        name: A name for people.
        realm: The realm that it is in.
        template: The template it comes from.
        address: Its (first) address.
        session: The session that it runs for; ``None`` for a classic machine.
        generation: The generation that it was made for.
        running: Whether it runs.
        readiness: ``healthy``, ``listening`` or ``started``.
        endpoints: The services that players can connect to.
        machines: All of its machines.
        flags: A classic machine's flags; those of sessions are not kept here.
        creds: A classic machine's initial accesses, likewise.
        unreset: What a reset does not bring back.
    """

    id: str
    name: str
    realm: str
    template: str
    address: str | None
    session: str | None = None
    generation: int = 0
    running: bool = True
    readiness: str = "started"
    endpoints: tuple[Endpoint, ...] = ()
    machines: tuple[Machine, ...] = ()
    flags: tuple[Flag, ...] = ()
    creds: tuple[Creds, ...] = ()
    unreset: tuple[str, ...] = ()


class ProviderListing(Struct, frozen=True, kw_only=True):
    """What a provider last showed, and how it is since.

    Attributes:
        provider: Its name.
        kind: Which plugin.
        is_dynamic: Whether instances can be started on demand.
        realms: The realms that it serves.
        templates: What boxes can be made from.
        instances: What exists.
        rejected: What cannot be used.
        seen_at: When it last answered well; ``None`` if it never did.
        took: Milliseconds that the last good answer took.
        problem: Why it does not answer now, in words for everybody.
        problem_detail: The technical reason, for organisers.
        problem_since: Since when.
    """

    provider: str
    kind: str
    is_dynamic: bool
    realms: tuple[str, ...]
    templates: tuple[ListedTemplate, ...] = ()
    instances: tuple[ListedInstance, ...] = ()
    rejected: tuple[RejectedEntry, ...] = ()
    seen_at: datetime | None = None
    took: int | None = None
    problem: Text | None = None
    problem_detail: str | None = None
    problem_since: datetime | None = None

    def template(self, name: str) -> ListedTemplate | None:
        """Return the template of that name, or ``None``."""
        return next((one for one in self.templates if one.name == name), None)


_COLUMNS = tuple(provider_listings.c[name] for name in ProviderListing.__struct_fields__)


def _read(row: Row[Any]) -> ProviderListing:
    return msgspec.convert(dict(zip(ProviderListing.__struct_fields__, row, strict=True)), ProviderListing)


async def get_listing(tx: AsyncConnection, provider: str) -> ProviderListing | None:
    """Return the listing of one provider, or ``None`` while there is none."""
    row = (await tx.execute(select(*_COLUMNS).where(provider_listings.c.provider == provider))).first()
    return None if row is None else _read(row)


async def all_listings(tx: AsyncConnection) -> tuple[ProviderListing, ...]:
    """Return the listings of all providers, in the order of their names."""
    return tuple(_read(row) for row in await tx.execute(select(*_COLUMNS).order_by(provider_listings.c.provider)))


async def listings_version(tx: AsyncConnection) -> tuple[object, ...]:
    """Return something that changes whenever a listing does, much cheaper than the listings."""
    names = ("provider", "seen_at", "took", "problem_since", "problem_detail")
    columns = [provider_listings.c[name] for name in names]
    return tuple(tuple(row) for row in await tx.execute(select(*columns).order_by(provider_listings.c.provider)))


async def save_listing(tx: AsyncConnection, listing: ProviderListing) -> None:
    """Keep ``listing`` as its provider's."""
    kept = {field: getattr(listing, field) for field in listing.__struct_fields__}
    columns = {
        name: value if isinstance(value, datetime) else msgspec.to_builtins(value) for name, value in kept.items()
    }
    await put_row(tx, provider_listings, **columns)


async def touch_listing(tx: AsyncConnection, provider: str, seen_at: datetime, took: int) -> None:
    """Keep that a provider answered well and nothing has changed."""
    query = update(provider_listings).where(provider_listings.c.provider == provider)
    await tx.execute(query.values(seen_at=seen_at, took=took))


async def forget_listings(tx: AsyncConnection, keep: frozenset[str]) -> int:
    """Remove the listings of providers that are not configured any more, and return how many there were."""
    gone = provider_listings.c.provider.not_in(sorted(keep))
    return (await tx.execute(delete(provider_listings).where(gone))).rowcount
