"""The organisers' desk: what needs attention, machines and submissions."""

from typing import Any

from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from chatsubo.domain.errors import Conflict
from chatsubo.game import Actor, Game
from chatsubo.game.vpn import Vpn
from chatsubo.web.dependencies import TheActor, TheGame, TheVpn
from chatsubo.web.pages.rendering import TheShow

VERDICTS = ("correct", "repeated", "wrong", "shared")
_MOST_ROWS = 200


class DeskPages(Controller):
    """What organisers look at."""

    path = "/admin"

    @get("/")
    async def desk(self, game: TheGame, vpn: TheVpn, admin: TheActor, show: TheShow) -> Template:
        """Show what needs attention, what runs, and numbers."""
        context = await _overview(game, vpn, admin)
        if show.in_page:
            return show.fragment("desk.html", **context)
        return await show.page("admin/desk.html", **context)

    @post("/providers/{provider:str}/look", status_code=200)
    async def look_again(
        self, game: TheGame, vpn: TheVpn, admin: TheActor, show: TheShow, provider: FromPath[str]
    ) -> Redirect | Template:
        """Let everything on a provider be looked at anew; the desk follows."""
        await game.desk.look_again(admin, provider)
        if not show.in_page:
            return show.redirect("/admin")
        return show.fragment("desk.html", **await _overview(game, vpn, admin, looked_at=provider))

    @get("/sessions")
    async def sessions(self, game: TheGame, admin: TheActor, show: TheShow) -> Template:
        """Show all machines that run, and those that ended last."""
        context: dict[str, Any] = {"sessions": await game.desk.sessions(admin, _MOST_ROWS)}
        if show.in_page:
            return show.fragment("sessions.html", **context)
        return await show.page("admin/sessions.html", **context)

    @get("/sessions/{session_id:str}")
    async def session(self, game: TheGame, admin: TheActor, show: TheShow, session_id: FromPath[str]) -> Template:
        """Show one machine and what its builds and starts said."""
        session = await game.desk.session(admin, session_id)
        log = await game.desk.log(admin, session_id)
        if show.in_page:
            return show.fragment("session.html", session=session, log=log)
        return await show.page("admin/session.html", session=session, log=log, problem=None)

    @post("/sessions/{session_id:str}/stop")
    async def stop(
        self, game: TheGame, admin: TheActor, show: TheShow, session_id: FromPath[str]
    ) -> Redirect | Template:
        """Stop anybody's machine."""
        try:
            await game.desk.stop_session(admin, session_id)
        except Conflict as error:
            session = await game.desk.session(admin, session_id)
            log = await game.desk.log(admin, session_id)
            problem = show.reason(error)
            return await show.page("admin/session.html", error, session=session, log=log, problem=problem)
        return show.redirect(f"/admin/sessions/{session_id}")

    @get("/submissions")
    async def submissions(
        self, game: TheGame, admin: TheActor, show: TheShow, verdict: FromQuery[str] = ""
    ) -> Template:
        """Show the newest submissions, of one verdict or all."""
        chosen = verdict if verdict in VERDICTS else None
        found = await game.desk.submissions(admin, _MOST_ROWS, chosen)
        context: dict[str, Any] = {"submissions": found, "verdict": chosen, "verdicts": VERDICTS}
        if show.in_page:
            return show.fragment("submissions.html", **context)
        return await show.page("admin/submissions.html", **context)


async def _overview(game: Game, vpn: Vpn, admin: Actor, looked_at: str | None = None) -> dict[str, Any]:
    """Return what the desk shows; ``looked_at`` is the provider that is just looked at anew."""
    return {"desk": await game.desk.overview(admin), "gates": await vpn.troubles(admin), "looked_at": looked_at}
