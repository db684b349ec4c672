"""Machines and flags over the API."""

from litestar import Controller, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from chatsubo.domain.errors import NotFound
from chatsubo.game.views import BoxView, SessionView, Verdict
from chatsubo.web.api.bodies import SharedReset, Start, Submission
from chatsubo.web.api.description import problems
from chatsubo.web.dependencies import TheActor, TheGame

LARGEST_FLAG = 16_384
"""Bytes that the request with a flag may have."""


class PlayController(Controller):
    """Your own machines, and the flags that you find."""

    tags = ("Play",)

    @get("/sessions", summary="List your machines", responses=problems(401))
    async def sessions(self, game: TheGame, actor: TheActor) -> list[SessionView]:
        """Return your live sessions."""
        return await game.play.sessions(actor)

    @get("/boxes/{slug:str}/session", summary="See your machine", responses=problems(401, 404, 409))
    async def session(self, slug: FromPath[str], game: TheGame, actor: TheActor) -> SessionView:
        """Return your session of a box: the live one, or the last that failed."""
        session = await game.play.session(actor, slug)
        if session is None:
            raise NotFound
        return session

    @post(
        "/boxes/{slug:str}/session",
        status_code=HTTP_202_ACCEPTED,
        summary="Start a machine",
        responses=problems(401, 403, 404, 409, 422, 429),
    )
    async def start(
        self, slug: FromPath[str], game: TheGame, actor: TheActor, data: JSONBody[Start | None] = None
    ) -> SessionView:
        """Begin to start a machine of the box for you. Its progress is told by ``GET`` and by the live events."""
        return await game.play.start(actor, slug, data.realm if data else None)

    @delete(
        "/boxes/{slug:str}/session",
        status_code=HTTP_202_ACCEPTED,
        summary="Stop your machine",
        responses=problems(401, 403, 404, 409),
    )
    async def stop(self, slug: FromPath[str], game: TheGame, actor: TheActor) -> SessionView:
        """Begin to stop your machine; what was changed on it is lost."""
        return await game.play.stop(actor, slug)

    @post(
        "/boxes/{slug:str}/session/reset",
        status_code=HTTP_202_ACCEPTED,
        summary="Reset your machine",
        responses=problems(401, 403, 404, 409, 429),
    )
    async def reset(self, slug: FromPath[str], game: TheGame, actor: TheActor) -> SessionView:
        """Begin to bring your machine back to its initial state, with the same flags, access and address."""
        return await game.play.reset(actor, slug)

    @post(
        "/boxes/{slug:str}/session/extend",
        status_code=HTTP_200_OK,
        summary="Extend your machine's time",
        responses=problems(401, 403, 404, 409),
    )
    async def extend(self, slug: FromPath[str], game: TheGame, actor: TheActor) -> SessionView:
        """Give your machine more time."""
        return await game.play.extend(actor, slug)

    @post(
        "/boxes/{slug:str}/shared/reset",
        status_code=HTTP_202_ACCEPTED,
        summary="Ask for a reset of a shared machine",
        responses=problems(401, 403, 404, 409, 422, 429),
    )
    async def reset_shared(
        self, slug: FromPath[str], game: TheGame, actor: TheActor, data: JSONBody[SharedReset | None] = None
    ) -> BoxView:
        """Announce a reset to everyone; five minutes later it is done. You may ask for one every 30 minutes."""
        wanted = data or SharedReset()
        await game.shared.ask_reset(actor, slug, wanted.realm, at_once=wanted.at_once)
        return await game.catalogue.box(actor, slug)

    @delete(
        "/boxes/{slug:str}/shared/reset",
        status_code=HTTP_200_OK,
        summary="Call a reset off",
        responses=problems(401, 403, 404, 409),
    )
    async def call_off_shared_reset(
        self, slug: FromPath[str], game: TheGame, actor: TheActor, realm: FromQuery[str | None] = None
    ) -> BoxView:
        """Call off what was announced, in one realm or in all, as an organiser; everyone is told."""
        await game.shared.call_off_reset(actor, slug, realm)
        return await game.catalogue.box(actor, slug)

    @post(
        "/submissions",
        status_code=HTTP_200_OK,
        summary="Submit a flag",
        responses=problems(401, 403, 404, 409, 413, 422, 429),
        request_max_body_size=LARGEST_FLAG,
    )
    async def submit(self, data: JSONBody[Submission], game: TheGame, actor: TheActor) -> Verdict:
        """Check a flag, of one box or of any; a wrong one is an answer too, and no error."""
        return await game.submissions.submit(actor, data.value, data.box)
