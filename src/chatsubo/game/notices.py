"""Notices: what everyone, or one player, is told."""

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import Invalid
from chatsubo.domain.text import N_, Text
from chatsubo.game.actor import Actor
from chatsubo.game.views import NoticeView
from chatsubo.live.news import News
from chatsubo.store.database import Database
from chatsubo.store.notices import insert_notice, recent_notices

MAX_ANNOUNCEMENT = 500
ANNOUNCEMENT = "{message}"


class Notices:
    """Announcements, first bloods, and what concerns one's own machines."""

    def __init__(self, db: Database, clock: Clock, news: News) -> None:
        self._db = db
        self._clock = clock
        self._news = news

    async def recent(self, actor: Actor, limit: int = 20) -> list[NoticeView]:
        """Return the newest notices that the actor may see, the newest first."""
        async with self._db.read() as tx:
            found = await recent_notices(tx, actor.account_id, limit)
        return [
            NoticeView(id=one.id, kind=one.kind, text=Text.from_json(one.text), link=one.link, at=one.at)
            for one in found
        ]

    async def announce(self, actor: Actor, message: str) -> None:
        """Tell everyone something, as an organiser.

        Raises:
            Forbidden: If the actor is no organiser.
            Invalid: If the message is empty or too long.
        """
        actor.must_be_admin()
        message = message.strip()
        if not 0 < len(message) <= MAX_ANNOUNCEMENT:
            raise Invalid.field("message", N_("An announcement has 1 to {limit} characters."), limit=MAX_ANNOUNCEMENT)
        text = Text(ANNOUNCEMENT, {"message": message})
        async with self._db.write() as tx:
            await insert_notice(tx, account_id=None, kind="info", text=text, link=None, at=self._clock())
        self._news.notice()
