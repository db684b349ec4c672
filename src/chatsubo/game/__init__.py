"""Use cases: accounts, boxes, submissions, standings. They own the transactions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from chatsubo.domain.clock import Clock, utc_now
from chatsubo.game.accounts import Accounts, Client
from chatsubo.game.actor import Actor, Role
from chatsubo.game.box_admin import BoxAdmin
from chatsubo.game.catalogue import Catalogue
from chatsubo.game.desk import Desk
from chatsubo.game.limits import Limits
from chatsubo.game.notices import Home, Notices
from chatsubo.game.offers import OffersReader
from chatsubo.game.passwords import Passwords
from chatsubo.game.play import Play
from chatsubo.game.scoreboard import Scoreboard
from chatsubo.game.shared import ResetShared, SharedMachines
from chatsubo.game.snapshot import Snapshots
from chatsubo.game.submissions import Submissions
from chatsubo.game.views import DisabledPlugin
from chatsubo.live.bus import Bus
from chatsubo.store.database import Database

__all__ = ["Actor", "Client", "Game", "Role"]


def _nobody() -> None:
    """Wake nobody: there is no lab in this process; its sweep finds what was asked for."""


@dataclass(frozen=True, slots=True)
class Game:
    """All use cases, each an object of its own."""

    accounts: Accounts
    catalogue: Catalogue
    play: Play
    submissions: Submissions
    scoreboard: Scoreboard
    notices: Notices
    home: Home
    desk: Desk
    box_admin: BoxAdmin
    shared: SharedMachines
    passwords: Passwords
    snapshots: Snapshots

    def close(self) -> None:
        """End the threads and tasks of the use cases."""
        self.snapshots.close()
        self.shared.close()
        self.passwords.close()

    @classmethod
    def build(
        cls,
        db: Database,
        bus: Bus,
        *,
        clock: Clock = utc_now,
        wake: Callable[[], None] = _nobody,
        prefixes: Mapping[str, str] | None = None,
        gated_realms: Iterable[str] = (),
        reset_shared: ResetShared | None = None,
        disabled_plugins: Iterable[DisabledPlugin] = (),
    ) -> Self:
        """Return the use cases on one database.

        Args:
            db: The database.
            bus: Where they tell what happened.
            clock: The time of day.
            wake: Tells the lab that there is something to do.
            prefixes: What dynamic flags begin with, by provider.
            gated_realms: The realms that players reach through a gate.
            reset_shared: Brings a shared machine back to its initial state.
            disabled_plugins: The plugins that cannot be used, for organisers to see.
        """
        tries, snapshots, offers, passwords = Limits(db, clock), Snapshots(db, bus), OffersReader(), Passwords()
        return cls(
            accounts=Accounts(db, clock, passwords, tries),
            catalogue=Catalogue(db, clock, snapshots, offers, gated_realms),
            play=Play(
                db,
                clock,
                tries=tries,
                snapshots=snapshots,
                offers=offers,
                bus=bus,
                wake=wake,
                prefixes=prefixes or {},
            ),
            submissions=Submissions(db, clock, tries, snapshots, bus),
            scoreboard=Scoreboard(snapshots),
            notices=Notices(db, clock, bus),
            home=Home(db),
            desk=Desk(db, clock, snapshots, offers, bus, wake=wake, disabled_plugins=disabled_plugins),
            box_admin=BoxAdmin(db, clock, snapshots, bus, wake=wake),
            shared=SharedMachines(db, clock, snapshots=snapshots, offers=offers, bus=bus, reset=reset_shared),
            passwords=passwords,
            snapshots=snapshots,
        )
