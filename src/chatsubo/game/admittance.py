"""Who may play: asked in the transaction that starts something or takes a flag, so that a ban cannot come between."""

from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.errors import Banned, NotLoggedIn
from chatsubo.game.actor import Actor
from chatsubo.store.accounts import account_by_id, lock_account


async def admit(tx: AsyncConnection, actor: Actor) -> None:
    """Let somebody play who may, and let nobody ban them until the transaction ends.

    To be called at first: everybody locks the account before anything else.

    Raises:
        Banned: If the account was banned since the request began.
    """
    await lock_account(tx, actor.account_id)
    account = await account_by_id(tx, actor.account_id)
    if account is None:
        raise NotLoggedIn
    if account.banned_at is not None:
        raise Banned(reason=account.ban_reason or "")
