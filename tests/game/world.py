"""A small game to test in: one provider, two boxes, as many players as asked for."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec import structs
from sqlalchemy import text

from chatsubo.domain.flags import digest
from chatsubo.domain.labels import Flag
from chatsubo.domain.sessions import State
from chatsubo.game import Actor, Client, Game, Role
from chatsubo.live.bus import Bus
from chatsubo.store.database import Database
from chatsubo.store.listings import ListedInstance, ListedTemplate, ProviderListing, save_listing
from chatsubo.store.tables import session_flags, sessions

CLIENT = Client("127.0.0.1", "a test")
PASSWORD = "correct horse"


class Clock:
    """A time of day that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class World:
    """The game, and what tests do to it beside the use cases."""

    db: Database
    game: Game
    bus: Bus
    clock: Clock
    woken: list[None] = field(default_factory=list)

    async def player(self, name: str) -> Actor:
        """Register a player."""
        actor, _ = await self.game.accounts.register(name, PASSWORD, client=CLIENT)
        return actor

    async def admin(self) -> Actor:
        """Make the organiser."""
        account = await self.game.accounts.create("finn", PASSWORD, Role.ADMIN)
        return Actor(account.id, account.username, Role.ADMIN)

    async def offer(self, **changes: object) -> None:
        """Let the provider show its templates, and whatever ``changes`` say."""
        listing = ProviderListing(
            provider="lab",
            kind="fake",
            is_dynamic=True,
            realms=("wz01",),
            templates=(
                ListedTemplate(
                    name="hello",
                    dynamic=True,
                    title="Hello",
                    os="Linux",
                    category="Basics",
                    difficulty=2,
                    duration=30,
                    description="Say hello.",
                    flags=(Flag("user", "", 100), Flag("fixed", "FLAG{fixed}", 50)),
                ),
                ListedTemplate(name="shared", dynamic=False, flags=(Flag("root", "FLAG{shared}", 500),)),
            ),
            instances=(ListedInstance(id="1", name="shared-1", realm="wz01", template="shared", address="10.0.0.5"),),
            seen_at=self.clock(),
        )
        listing = structs.replace(listing, **changes)
        async with self.db.write() as tx:
            await save_listing(tx, listing)

    async def release(self, admin: Actor, template: str = "hello", **changes: object) -> str:
        """Register the template as a box, with its prefilled form, and release it."""
        form = (await self.game.desk.template(admin, template)).form
        form = structs.replace(form, **changes)
        if not form.track and not form.new_track:
            form = structs.replace(form, new_track="Basics")
        slug = await self.game.box_admin.register(admin, form)
        await self.game.box_admin.release(admin, slug)
        return slug

    async def run(self, actor: Actor, slug: str, *flags: Flag) -> str:
        """Start a session and let it run with these flags, as the lab would; return its id."""
        view = await self.game.play.start(actor, slug)
        async with self.db.write() as tx:
            await tx.execute(
                sessions.update()
                .where(sessions.c.id == view.id)
                .values(
                    state=State.RUNNING,
                    verb=None,
                    address="10.0.0.9",
                    ready_at=self.clock(),
                    expires_at=self.clock() + timedelta(minutes=view.duration),
                )
            )
            for flag in flags:
                values = {"session_id": view.id, "name": flag.name, "value": flag.value, "digest": digest(flag.value)}
                await tx.execute(session_flags.insert().values(values))
        return view.id

    async def end(self, session_id: str, state: State = State.STOPPED) -> None:
        """End a session, as the lab would."""
        async with self.db.write() as tx:
            await tx.execute(
                sessions.update()
                .where(sessions.c.id == session_id)
                .values(state=state, verb=None, ended_at=self.clock())
            )

    async def someone_waits(self) -> None:
        """Wait until a transaction waits for another one. On SQLite they take turns, so there is nothing to see."""
        blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        async with asyncio.timeout(60), self.db.read() as tx:
            while tx.dialect.name == "postgresql" and not (await tx.execute(blocked)).scalar():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
