"""Use cases: accounts, boxes, submissions, standings. They own the transactions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from chatsubo.domain.clock import Clock, utc_now
from chatsubo.game.account_admin import AccountAdmin
from chatsubo.game.accounts import Accounts, Client
from chatsubo.game.actor import Actor, Role
from chatsubo.game.box_admin import BoxAdmin
from chatsubo.game.catalogue import Catalogue
from chatsubo.game.desk import Desk
from chatsubo.game.event import Event
from chatsubo.game.home import Home
from chatsubo.game.notices import Notices
from chatsubo.game.offers import OffersReader
from chatsubo.game.passwords import Passwords
from chatsubo.game.people import People
from chatsubo.game.play import Play
from chatsubo.game.rate_limits import RateLimiter
from chatsubo.game.scoreboard import Scoreboard
from chatsubo.game.shared import SharedMachines
from chatsubo.game.snapshot import Snapshots
from chatsubo.game.submissions import Submissions
from chatsubo.game.views import DisabledPlugin
from chatsubo.live.bus import Bus
from chatsubo.live.news import News
from chatsubo.store.database import Database

__all__ = ["Actor", "Client", "Game", "Role"]


def _nobody() -> None:
    """Wake nobody: there is no lab in this process; its sweep finds what was asked for."""


def _nobody_looks(_provider: str) -> None:
    """Look at no provider: there is no lab in this process."""


@dataclass(frozen=True, slots=True)
class Game:
    """All use cases, each an object of its own."""

    accounts: Accounts
    catalogue: Catalogue
    people: People
    play: Play
    submissions: Submissions
    scoreboard: Scoreboard
    notices: Notices
    home: Home
    event: Event
    desk: Desk
    box_admin: BoxAdmin
    account_admin: AccountAdmin
    shared: SharedMachines
    passwords: Passwords
    snapshots: Snapshots

    async def aclose(self) -> None:
        """End the tasks and threads of the use cases. To be done before the database is closed, which they use."""
        await self.snapshots.aclose()
        self.passwords.close()

    @classmethod
    def build(
        cls,
        db: Database,
        bus: Bus,
        *,
        clock: Clock = utc_now,
        wake: Callable[[], None] = _nobody,
        look_again: Callable[[str], None] = _nobody_looks,
        prefixes: Mapping[str, str] | None = None,
        gated_realms: Iterable[str] = (),
        disabled_plugins: Iterable[DisabledPlugin] = (),
    ) -> Self:
        """Return the use cases on one database.

        Args:
            db: The database.
            bus: Where they tell what happened.
            clock: The time of day.
            wake: Tells the lab that there is something to do.
            look_again: Tells the lab to look at everything on a provider.
            prefixes: What dynamic flags begin with, by provider.
            gated_realms: The realms that players reach through a gate.
            disabled_plugins: The plugins that cannot be used, for organisers to see.
        """
        news = News(bus)
        limiter, snapshots, offers, passwords = RateLimiter(db, clock), Snapshots(db, news), OffersReader(), Passwords()
        return cls(
            accounts=Accounts(db, clock, passwords, limiter),
            catalogue=Catalogue(db, clock, snapshots, offers, gated_realms),
            people=People(db, clock, snapshots),
            play=Play(
                db,
                clock,
                limiter=limiter,
                snapshots=snapshots,
                offers=offers,
                news=news,
                wake=wake,
                prefixes=prefixes or {},
            ),
            submissions=Submissions(db, clock, limiter, snapshots, news),
            scoreboard=Scoreboard(snapshots),
            notices=Notices(db, clock, news),
            home=Home(db),
            event=Event(db, clock, news, wake),
            desk=Desk(
                db, clock, snapshots, offers, news, wake=wake, look_again=look_again, disabled_plugins=disabled_plugins
            ),
            box_admin=BoxAdmin(db, clock, snapshots, news, wake=wake),
            account_admin=AccountAdmin(db, clock, snapshots=snapshots, news=news, wake=wake),
            shared=SharedMachines(db, clock, snapshots=snapshots, offers=offers, news=news, wake=wake),
            passwords=passwords,
            snapshots=snapshots,
        )
