"""When the event is, over the API."""

from litestar import Controller, get, put
from litestar.params import JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT

from chatsubo.game.event import EventView
from chatsubo.web.api.bodies import EventBody
from chatsubo.web.api.description import problems
from chatsubo.web.dependencies import TheActor, TheGame


class EventController(Controller):
    """The time in which players play."""

    @get("/event", tags=["Catalogue"], summary="See when the event is", responses=problems(401))
    async def event(self, game: TheGame, actor: TheActor) -> EventView:  # noqa: ARG002  for those who are logged in
        """Return from when and until when players play, and whether that is now (``before``, ``open``, ``over``)."""
        return await game.event.view()

    @put(
        "/admin/event",
        tags=["Organisers"],
        status_code=HTTP_204_NO_CONTENT,
        summary="Set when the event is",
        responses=problems(401, 403, 422),
    )
    async def set_window(self, data: JSONBody[EventBody], game: TheGame, admin: TheActor) -> None:
        """Set both moments, with their time zones; what is left out is open on that side."""
        await game.event.set_window(admin, data.opens_at, data.closes_at)
