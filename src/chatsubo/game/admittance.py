"""Who may play: asked in the transaction that starts something or takes a flag, so that a ban cannot come between."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.errors import Banned, NotLoggedIn
from chatsubo.domain.event import Phase
from chatsubo.game.actor import Actor
from chatsubo.store.accounts import account_by_id, lock_account
from chatsubo.store.event_window import read_window


async def let_in(tx: AsyncConnection, actor: Actor) -> None:
    """Let somebody act who is not banned, and let nobody ban them until the transaction ends.

    To be called at first: everybody locks the account before anything else.

    Raises:
        Banned: If the account was banned since the request began.
        NotLoggedIn: If there is no such account any more.
    """
    await lock_account(tx, actor.account_id)
    account = await account_by_id(tx, actor.account_id)
    if account is None:
        raise NotLoggedIn
    if account.banned_at is not None:
        raise Banned(reason=account.ban_reason or "")


async def let_play(tx: AsyncConnection, actor: Actor, now: datetime) -> None:
    """Let somebody play who is not banned, while the event is open; organisers play always. To be called at first.

    Raises:
        Banned: If the account was banned since the request began.
        EventOver: If the event has ended.
        NotLoggedIn: If there is no such account any more.
        NotOpenYet: If it has not begun.
    """
    await let_in(tx, actor)
    if not actor.is_admin:
        (await read_window(tx)).must_be_open(now)


async def let_look(tx: AsyncConnection, actor: Actor, now: datetime) -> None:
    """Let somebody ask about a box by name: before the event players may not know which there are.

    Raises:
        NotOpenYet: If the event has not begun.
    """
    if not actor.is_admin:
        (await read_window(tx)).must_have_begun(now)


async def is_over(tx: AsyncConnection, actor: Actor, now: datetime) -> bool:
    """Say whether somebody may look at a box, but play it no more.

    Raises:
        NotOpenYet: If the event has not begun: as for :func:`let_look`.
    """
    if actor.is_admin:
        return False
    window = await read_window(tx)
    window.must_have_begun(now)
    return window.phase(now) is Phase.OVER


async def sees_boxes(tx: AsyncConnection, actor: Actor, now: datetime) -> bool:
    """Say whether somebody may know which boxes there are."""
    return actor.is_admin or (await read_window(tx)).phase(now) is not Phase.BEFORE
