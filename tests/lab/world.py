"""The world that the lab is tested in: a database, a fake hypervisor, and a lab with little patience."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from chatsubo.domain.sessions import State
from chatsubo.jobs import Jobs
from chatsubo.lab import Lab
from chatsubo.lab.intents import ask_reset, ask_stop, open_session
from chatsubo.lab.pace import Pace
from chatsubo.live.bus import ADMINS, Bus
from chatsubo.providers.base import BaseProvider
from chatsubo.store.database import Database
from chatsubo.store.listings import ProviderListing, get_listing
from chatsubo.store.sessions import Session, get_session
from chatsubo.store.tables import accounts, boxes, tracks
from chatsubo.testing import FakeHypervisor, FakeProvider, MemoryJobs

WITHIN = 60.0
"""Seconds within which whatever is waited for has to come, on a machine that is busy with other things too."""

QUICK = Pace(
    sweep=0.02,
    listing=0.05,
    listing_least=0.01,
    listing_most=0.1,
    listing_limit=600.0,
    stop_limit=600.0,
    calling_off=600.0,
    retry_first=0.005,
    retry_most=0.01,
    tries=3,
    renew_most=0.02,
    renew_removal_most=0.02,
    unclaimed=5.0,
    stray=0.05,
    stage=0.005,
    log=0.005,
)


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 12, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        self.now += timedelta(**amount)


async def add_players(db: Database, numbers: range) -> None:
    """Put accounts of these numbers into the database."""
    rows = [
        {"id": number, "username": name, "username_key": name, "gate_name": name, "password_hash": "", "role": "player"}
        | {"created_at": datetime(2026, 11, 23, tzinfo=UTC)}
        for number in numbers
        for name in [f"player{number}"]
    ]
    async with db.write() as tx:
        await tx.execute(insert(accounts), rows)


async def furnish(db: Database) -> None:
    """Put accounts 1 to 10, a track and the boxes 1 and 2 into the database."""
    now = datetime(2026, 11, 23, tzinfo=UTC)
    await add_players(db, range(1, 11))
    async with db.write() as tx:
        await tx.execute(insert(tracks).values(slug="web", name="Web", icon="world", position=1))
        common = {"template": "hello", "dynamic": True, "description": "", "os": "Linux", "difficulty": 1}
        for slug in ("hello", "other"):
            await tx.execute(
                insert(boxes).values(
                    slug=slug, name=slug, duration=60, authors=[], track_id=1, created_at=now, **common
                )
            )


@dataclass
class World:
    """Everything around a lab."""

    db: Database
    jobs: Jobs = field(default_factory=MemoryJobs)
    hypervisor: FakeHypervisor = field(default_factory=FakeHypervisor)
    bus: Bus = field(default_factory=Bus)
    clock: Clock = field(default_factory=Clock)
    pace: Pace = QUICK
    places: int = 4
    start_timeout: float = 600.0
    lab: Lab = field(init=False)
    providers: Mapping[str, BaseProvider] = field(init=False)

    def __post_init__(self) -> None:
        provider = FakeProvider(
            "fake", self.hypervisor, max_concurrent_starts=self.places, start_timeout=self.start_timeout
        )
        self.equip({"fake": provider})

    def equip(self, providers: Mapping[str, BaseProvider]) -> None:
        """Make a lab with ``providers``."""
        self.providers = providers
        self.lab = Lab(self.db, self.jobs, self.providers, self.bus, self.clock, pace=self.pace)

    async def ask(self, account: int = 1, box: int = 1, provider: str = "fake", template: str = "hello") -> str:
        """Commit the intent of a start without waking anybody."""
        async with self.db.write() as tx:
            return await open_session(
                tx,
                account_id=account,
                box_id=box,
                template=template,
                provider=provider,
                realm="wz01",
                duration=60,
                prefix="WZ",
                now=self.clock(),
            )

    async def open(self, account: int = 1, box: int = 1, provider: str = "fake", template: str = "hello") -> str:
        """Ask for a session, and wake the lab."""
        session_id = await self.ask(account, box, provider, template)
        self.lab.wake()
        return session_id

    async def run(self, account: int = 1, box: int = 1) -> Session:
        """Return a session that runs."""
        return await self.reaches(await self.open(account, box), State.RUNNING)

    async def stop(self, session_id: str) -> None:
        """Ask for a stop."""
        async with self.db.write() as tx:
            await ask_stop(tx, session_id, self.clock())
        self.lab.wake()

    async def reset(self, session_id: str) -> None:
        """Ask for a reset."""
        async with self.db.write() as tx:
            await ask_reset(tx, session_id, self.clock())
        self.lab.wake()

    async def session(self, session_id: str) -> Session:
        """Return the session as it is."""
        async with self.db.read() as tx:
            session = await get_session(tx, session_id)
        assert session is not None
        return session

    async def until(self, session_id: str, seen: Callable[[Session], bool]) -> Session:
        """Wait for the session to be as ``seen`` wants it; every change of it is told on the bus."""
        with self.bus.subscribe([ADMINS]) as news:
            while not seen(session := await self.session(session_id)):
                await news.next(WITHIN)
        return session

    async def reaches(self, session_id: str, state: State) -> Session:
        """Wait for a state in which nothing more is to be done."""
        return await self.until(session_id, lambda one: one.state is state and one.verb is None)

    async def listing(self, seen: Callable[[ProviderListing], bool], provider: str = "fake") -> ProviderListing:
        """Wait for the provider's listing to be as ``seen`` wants it."""
        with self.bus.subscribe([ADMINS]) as news:
            while True:
                async with self.db.read() as tx:
                    listing = await get_listing(tx, provider)
                if listing is not None and seen(listing):
                    return listing
                await news.next(WITHIN)

    async def looked_at(self) -> None:
        """Wait until the provider has been looked at once more, whether it answered or not."""
        before = self._looks()
        self.lab.refresh("fake")
        async with asyncio.timeout(WITHIN):
            while self._looks() <= before:  # noqa: ASYNC110
                await asyncio.sleep(0.005)  # a look that finds nothing new is told to nobody

    def _looks(self) -> int:
        return len(self.hypervisor.called("list_instances")) + len(self.hypervisor.called("check"))


def anything(listing: ProviderListing) -> bool:
    """Take any listing."""
    return isinstance(listing, ProviderListing)
