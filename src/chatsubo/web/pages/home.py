"""The home page, notices, and the parts of the frame that change while one looks."""

from typing import Any

from litestar import Controller, get
from litestar.params import FromQuery
from litestar.response import Template

from chatsubo.game import Actor, Game
from chatsubo.web.dependencies import TheActor, TheGame, TheViewer
from chatsubo.web.pages.rendering import TheShow

_ON_THE_BELL = 20
_ON_THE_PAGE = 100


class HomePages(Controller):
    """What one sees first."""

    @get("/")
    async def home(self, game: TheGame, viewer: TheViewer, show: TheShow) -> Template:
        """Show what the organisers wrote, and to a player what runs and what is next."""
        content = await game.home.content()
        if show.in_page:
            actor = show.reader.actor
            return show.fragment("home.html", me=await game.catalogue.me(actor), **await _at_home(game, actor, content))
        if viewer is None:
            return await show.page("welcome.html", content=content)
        return await show.page("home.html", **await _at_home(game, viewer, content))

    @get("/points")
    async def points(self, game: TheGame, actor: TheActor, show: TheShow) -> Template:
        """Show the player's own points and rank."""
        return show.fragment("points.html", me=await game.catalogue.me(actor))

    @get("/progress")
    async def progress(self, game: TheGame, actor: TheActor, show: TheShow, track: FromQuery[str] = "") -> Template:
        """Show how far the player is in each track; ``track`` is the one that is being looked at."""
        me, tracks = await game.catalogue.frame(actor)
        return show.fragment("progress.html", me=me, tracks=tracks, in_track=track)

    @get("/notices")
    async def notices(self, game: TheGame, actor: TheActor, show: TheShow) -> Template:
        """Show what everyone, or this player, was told."""
        return await show.page("notices.html", notices=await game.notices.recent(actor, _ON_THE_PAGE))

    @get("/notices/bell")
    async def bell(self, game: TheGame, actor: TheActor, show: TheShow) -> Template:
        """Show the newest notices below the bell."""
        return show.fragment("bell.html", notices=await game.notices.recent(actor, _ON_THE_BELL))


async def _at_home(game: Game, actor: Actor, content: str) -> dict[str, Any]:
    cards = await game.catalogue.boxes(actor)
    return {
        "content": content,
        "event": await game.event.view(),
        "runs": [card for card in cards if card.state],
        "begun": [card for card in cards if card.found and not card.done and not card.state][:3],
        "untouched": [card for card in cards if not card.found and not card.state and card.available][:3],
        "standings": (await game.scoreboard.standings()).rows[:5],
    }
