"""Who plays: the accounts, and what each has found."""

from collections.abc import Iterable

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import NotFound
from chatsubo.game.actor import Actor
from chatsubo.game.admittance import sees_boxes
from chatsubo.game.names import name_key
from chatsubo.game.snapshot import Snapshot, Snapshots
from chatsubo.game.views import AccountCard, ProfileView, SolveView
from chatsubo.store.accounts import Account, account_by_name, all_accounts
from chatsubo.store.database import Database


class People:
    """What players see of each other."""

    def __init__(self, db: Database, clock: Clock, snapshots: Snapshots) -> None:
        self._db = db
        self._clock = clock
        self._snapshots = snapshots

    async def accounts(self, actor: Actor, search: str | None = None) -> list[AccountCard]:  # noqa: ARG002  for those who are logged in
        """Return the accounts whose names hold ``search``, the best first."""
        snapshot = await self._snapshots.current()
        async with self._db.read() as tx:
            found = await all_accounts(tx)
        wanted = name_key(search or "")
        cards = [
            _account_card(snapshot, one) for one in found if one.banned_at is None and wanted in name_key(one.username)
        ]
        return sorted(cards, key=lambda card: (card.rank is None, card.rank or 0, name_key(card.username)))

    async def profile(self, actor: Actor, username: str) -> ProfileView:
        """Return somebody's public page.

        Raises:
            NotFound: If there is no such account, or it is banned and the reader is no organiser.
        """
        snapshot = await self._snapshots.current()
        async with self._db.read() as tx:
            account = await account_by_name(tx, name_key(username))
            shown = await sees_boxes(tx, actor, self._clock())
        if account is None or not (account.banned_at is None or actor.is_admin):
            raise NotFound
        solves = tuple(_solves(snapshot, account.id)) if shown else ()
        return ProfileView(account=_account_card(snapshot, account), solves=solves)


def _account_card(snapshot: Snapshot, account: Account) -> AccountCard:
    row = snapshot.rows.get(account.id)
    return AccountCard(
        id=account.id,
        username=account.username,
        role=account.role,
        score=row.score if row else 0,
        found=row.found if row else 0,
        rank=row.rank if row else None,
        created_at=account.created_at,
        banned=account.banned_at is not None,
    )


def _solves(snapshot: Snapshot, account_id: int) -> Iterable[SolveView]:
    """Yield what an account has found in boxes that players have seen, the newest first."""
    own = snapshot.found.get(account_id, {})
    flags = {
        flag.id: (box, flag)
        for box in snapshot.boxes.values()
        if box.released_at is not None
        for flag in snapshot.flags.get(box.id, ())
    }
    for flag_id, at in sorted(own.items(), key=lambda one: one[1], reverse=True):
        if flag_id in flags:
            box, flag = flags[flag_id]
            yield SolveView(
                box=box.name,
                box_slug=box.slug,
                flag=flag.name,
                points=flag.points,
                at=at,
                first_blood=snapshot.first_bloods.get(box.id) == account_id,
            )
