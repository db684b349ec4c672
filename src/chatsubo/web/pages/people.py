"""Who plays."""

from typing import Any

from litestar import Controller, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from chatsubo.web.dependencies import TheActor, TheGame
from chatsubo.web.pages.rendering import TheShow

MOST_ROWS = 200


class PeoplePages(Controller):
    """The list of users and their profiles."""

    @get("/users")
    async def users(self, game: TheGame, actor: TheActor, show: TheShow, q: FromQuery[str] = "") -> Template:
        """Show all accounts, or those whose name holds what is searched for."""
        found = await game.people.accounts(actor, q or None)
        context: dict[str, Any] = {"accounts": found[:MOST_ROWS], "total": len(found), "search": q}
        if show.in_page:
            return show.fragment("users.html", **context)
        return await show.page("users.html", **context)

    @get("/users/{username:str}")
    async def profile(self, game: TheGame, actor: TheActor, show: TheShow, username: FromPath[str]) -> Template:
        """Show what somebody has found."""
        profile = await game.people.profile(actor, username)
        total = sum(track.flags for track in await game.catalogue.tracks(actor))
        return await show.page("profile.html", profile=profile, total=total)
