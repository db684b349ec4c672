"""The organisers' desk over the API."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, delete, get, post
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.status_codes import HTTP_204_NO_CONTENT

from chatsubo.game.views import DeskSession, DeskSubmission, DeskView
from chatsubo.web.api.description import problems
from chatsubo.web.dependencies import TheActor, TheGame

Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="How many at most, the newest first.")]
VerdictName = FromQuery[Literal["correct", "repeated", "wrong", "shared"] | None]


class SessionLog(msgspec.Struct, frozen=True):
    """What a session's build and start printed."""

    output: str


class DeskController(Controller):
    """What needs attention, what runs, and who tried what."""

    path = "/admin"
    tags = ("Organisers",)

    @get("/desk", summary="See the desk", responses=problems(401, 403))
    async def overview(self, game: TheGame, admin: TheActor) -> DeskView:
        """Return providers, failures, flags of others, running machines, and numbers."""
        return await game.desk.overview(admin)

    @post(
        "/providers/{provider:str}/look",
        status_code=HTTP_204_NO_CONTENT,
        summary="Look at a provider again",
        responses=problems(401, 403, 404),
    )
    async def look_again(self, provider: FromPath[str], game: TheGame, admin: TheActor) -> None:
        """Read everything there anew, soon; the event ``provider`` tells when something changed."""
        await game.desk.look_again(admin, provider)

    @get("/sessions", summary="List everybody's sessions", responses=problems(401, 403))
    async def sessions(self, game: TheGame, admin: TheActor, limit: Limit = 200) -> list[DeskSession]:
        """Return the sessions of all players, the newest first."""
        return await game.desk.sessions(admin, limit)

    @get("/sessions/{session_id:str}", summary="See a session", responses=problems(401, 403, 404))
    async def session(self, session_id: FromPath[str], game: TheGame, admin: TheActor) -> DeskSession:
        """Return anybody's session."""
        return await game.desk.session(admin, session_id)

    @get("/sessions/{session_id:str}/log", summary="Read a session's log", responses=problems(401, 403, 404))
    async def log(self, session_id: FromPath[str], game: TheGame, admin: TheActor) -> SessionLog:
        """Return the end of what the build and the start printed."""
        return SessionLog(await game.desk.log(admin, session_id))

    @delete(
        "/sessions/{session_id:str}",
        status_code=HTTP_204_NO_CONTENT,
        summary="Stop a session",
        responses=problems(401, 403, 404, 409),
    )
    async def stop(self, session_id: FromPath[str], game: TheGame, admin: TheActor) -> None:
        """Stop anybody's machine."""
        await game.desk.stop_session(admin, session_id)

    @get("/submissions", summary="List all submissions", responses=problems(401, 403))
    async def submissions(
        self, game: TheGame, admin: TheActor, limit: Limit = 200, verdict: VerdictName = None
    ) -> list[DeskSubmission]:
        """Return every try, the newest first; ``shared`` are those with another player's flag."""
        return await game.desk.submissions(admin, limit, verdict)
