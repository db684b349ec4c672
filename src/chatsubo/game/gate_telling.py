"""Tells one gate who may reach what, and whose access to revoke."""

import structlog

from chatsubo.domain.clock import Clock
from chatsubo.game.access import AccessPicture, AccessReader
from chatsubo.gates import GateClient, PictureRefused
from chatsubo.live.news import News
from chatsubo.store.database import Database
from chatsubo.store.gate_pictures import TakenPicture, allot_version, note_taken, taken_picture
from chatsubo.store.gates import forget_key, to_revoke

TRIES = 5

log = structlog.get_logger("chatsubo.game.gates")


class GateTelling:
    """What is told to one gate. What it took last is in the database: of several processes, each knows it.

    Args:
        db: Where that is.
        client: Asks the gate.
        realms: What the gate leads to.
        connecting_back: The realms whose shared machines may open connections to players.
        news: Tells organisers.
        clock: The time of day.
    """

    def __init__(
        self,
        db: Database,
        client: GateClient,
        *,
        realms: tuple[str, ...],
        connecting_back: frozenset[str],
        news: News,
        clock: Clock,
    ) -> None:
        self._db, self._client, self._news = db, client, news
        self._url, self._realms, self._connecting_back = client.gate.url, realms, connecting_back
        self._reader = AccessReader(clock)
        self._holds = 0
        self._in_doubt = True

    def doubt(self) -> None:
        """Tell the gate everything again at the next time: nobody knows what became of the last."""
        self._in_doubt = True

    async def heard(self, version: int) -> None:
        """Take note of the version that the gate says it holds; one that it was not given last is replaced."""
        async with self._db.read() as tx:
            taken = await taken_picture(tx, self._url)
        self._holds = version
        self._in_doubt = self._in_doubt or taken is None or taken.version != version

    async def revoke(self) -> None:
        """Revoke what the gate gave to players who are cut off.

        Raises:
            GateError: If the gate does not do it.
        """
        async with self._db.read() as tx:
            pending = await to_revoke(tx, self._url)
        for account_id, gate_name in pending:
            await self._client.revoke(gate_name)
            async with self._db.write() as tx:
                await forget_key(tx, account_id, self._url)
            log.info("gate.revoked", url=self._url, account=account_id)
            self._news.gates(players=False)

    async def send(self) -> None:
        """Give the gate the present picture, unless it holds that.

        Raises:
            GateError: If the gate does not take it.
        """
        for _ in range(TRIES):
            async with self._db.read() as tx:
                taken = await taken_picture(tx, self._url)
            if not self._in_doubt and taken is not None and taken.digest == (await self._picture()).digest:
                return
            if await self._sent():
                return

    async def _sent(self) -> bool:
        """Give the gate the present picture; say whether it took it, or holds a newer one."""
        # The version first, the picture after it: of two processes, the later version has the fresher picture.
        async with self._db.write() as tx:
            version = await allot_version(tx, self._url, above=self._holds)
        picture = await self._picture()
        try:
            await self._client.show(version, picture.players)
        except PictureRefused as refused:
            log.info("gate.knew-better", url=self._url, version=version, holds=refused.version)
            self._holds = refused.version
            return False
        self._holds, self._in_doubt = version, False
        async with self._db.write() as tx:
            await note_taken(tx, self._url, TakenPicture(version, picture.digest))
        log.info("gate.told", url=self._url, version=version, players=len(picture.players))
        self._news.gates(players=False)
        return True

    async def _picture(self) -> AccessPicture:
        async with self._db.read() as tx:
            return await self._reader.picture(tx, self._url, self._realms, self._connecting_back)
