"""What organisers tell players: announcements and the home page."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromQuery
from litestar.response import Template

from chatsubo.domain.errors import Invalid
from chatsubo.web.dependencies import AnyRequest, TheActor, TheGame
from chatsubo.web.pages.forms import fields_of
from chatsubo.web.pages.rendering import TheShow


class WordsPages(Controller):
    """What organisers write."""

    path = "/admin"

    @get("/announce")
    async def announce_form(self, admin: TheActor, show: TheShow, done: FromQuery[str] = "") -> Template:  # noqa: ARG002  bars players
        """Ask what everyone should be told."""
        return await show.page("admin/announce.html", message="", problems={}, done=bool(done))

    @post("/announce")
    async def announce(self, request: AnyRequest, game: TheGame, admin: TheActor, show: TheShow) -> Response[Any]:
        """Tell everyone."""
        message = (await fields_of(request)).get("message", "")
        try:
            await game.notices.announce(admin, message)
        except Invalid as error:
            problems = show.reasons(error)
            return await show.page("admin/announce.html", error, message=message, problems=problems, done=False)
        return show.redirect("/admin/announce?done=true")

    @get("/home")
    async def home_form(self, game: TheGame, admin: TheActor, show: TheShow) -> Template:  # noqa: ARG002  bars players
        """Show the home page's source."""
        return await show.page("admin/home.html", content=await game.home.content(), problems={})

    @post("/home")
    async def home(self, request: AnyRequest, game: TheGame, admin: TheActor, show: TheShow) -> Response[Any]:
        """Replace the home page."""
        content = (await fields_of(request)).get("content", "").replace("\r\n", "\n")
        try:
            await game.home.set_content(admin, content)
        except Invalid as error:
            return await show.page("admin/home.html", error, content=content, problems=show.reasons(error))
        return show.redirect("/")
