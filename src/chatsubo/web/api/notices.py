"""Notices over the API."""

from typing import Annotated

from litestar import Controller, get, post, put
from litestar.params import JSONBody, QueryParameter
from litestar.status_codes import HTTP_204_NO_CONTENT

from chatsubo.game.views import NoticeView
from chatsubo.web.api.bodies import Announcement, Home
from chatsubo.web.api.description import problems
from chatsubo.web.dependencies import TheActor, TheGame


class NoticeController(Controller):
    """What everyone, or you alone, is told."""

    @get("/notices", tags=["Notices"], summary="Read the notices", responses=problems(401))
    async def recent(
        self, game: TheGame, actor: TheActor, limit: Annotated[int, QueryParameter(ge=1, le=200)] = 20
    ) -> list[NoticeView]:
        """Return the newest notices, the newest first."""
        return await game.notices.recent(actor, limit)

    @post(
        "/admin/announcements",
        tags=["Organisers"],
        status_code=HTTP_204_NO_CONTENT,
        summary="Tell everyone something",
        responses=problems(401, 403, 422),
    )
    async def announce(self, data: JSONBody[Announcement], game: TheGame, admin: TheActor) -> None:
        """Show a notice to everyone at once."""
        await game.notices.announce(admin, data.message)

    @put(
        "/admin/home",
        tags=["Organisers"],
        status_code=HTTP_204_NO_CONTENT,
        summary="Write the home page",
        responses=problems(401, 403, 422),
    )
    async def write_home(self, data: JSONBody[Home], game: TheGame, admin: TheActor) -> None:
        """Replace the home page's Markdown."""
        await game.home.set_content(admin, data.content)
