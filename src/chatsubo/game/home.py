"""The home page."""

from chatsubo.domain.errors import Invalid
from chatsubo.domain.text import N_
from chatsubo.game.actor import Actor
from chatsubo.store.database import Database
from chatsubo.store.settings import read_setting, write_setting

MAX_LENGTH = 100_000
CONTENT = "home"
"""The setting that holds the page."""


class Home:
    """The home page, which organisers write."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def content(self) -> str:
        """Return the page's Markdown; empty while nobody has written it."""
        async with self._db.read() as tx:
            return str(await read_setting(tx, CONTENT) or "")

    async def set_content(self, actor: Actor, markdown: str) -> None:
        """Replace the page, as an organiser.

        Raises:
            Forbidden: If the actor is no organiser.
            Invalid: If the page is too long.
        """
        actor.must_be_admin()
        if len(markdown) > MAX_LENGTH:
            raise Invalid.field("content", N_("The home page has at most {limit} characters."), limit=MAX_LENGTH)
        async with self._db.write() as tx:
            await write_setting(tx, CONTENT, markdown)
