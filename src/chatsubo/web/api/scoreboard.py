"""The standings over the API, from their ready-made JSON."""

from typing import Any, cast

from litestar import Controller, Response, get
from litestar.status_codes import HTTP_304_NOT_MODIFIED

from chatsubo.game.views import StandingsView
from chatsubo.web.api.catalogue import Slug
from chatsubo.web.api.description import problems
from chatsubo.web.dependencies import AnyRequest, TheActor, TheGame


class ScoreboardController(Controller):
    """Who found how much."""

    tags = ("Scoreboard",)

    @get("/standings", summary="See the standings", responses=problems(401, 404))
    async def standings(
        self,
        request: AnyRequest,
        game: TheGame,
        actor: TheActor,  # noqa: ARG002  for those who are logged in
        track: Slug = None,
    ) -> Response[StandingsView]:
        """Return the standings, of one track or overall; with ``If-None-Match``, only if they changed (else 304)."""
        body, version = await game.scoreboard.standings_json(track)
        etag = f'"{version}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if _matches(request.headers.get("if-none-match", ""), etag):
            return Response(cast("Any", None), status_code=HTTP_304_NOT_MODIFIED, headers=headers)
        return Response(cast("Any", body), media_type="application/json", headers=headers)


def _matches(header: str, etag: str) -> bool:
    """Return whether ``etag`` is among those of an ``If-None-Match`` header (RFC 9110, section 13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return etag in tags or "*" in tags
