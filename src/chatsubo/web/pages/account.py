"""One's own settings: password, logins, language and looks."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from chatsubo.domain.errors import ChatsuboError, FieldProblem, Invalid, RateLimited
from chatsubo.domain.text import N_, Text
from chatsubo.game import Actor, Game
from chatsubo.web.dependencies import AnyRequest, TheActor, TheGame, TheSettings
from chatsubo.web.logins import remember, safe_next
from chatsubo.web.pages.forms import fields_of
from chatsubo.web.pages.rendering import Show, TheShow

_DIFFERS = N_("The two new passwords differ.")


class AccountPages(Controller):
    """What one sets for oneself."""

    @get("/settings")
    async def form(self, game: TheGame, actor: TheActor, show: TheShow, done: FromQuery[str] = "") -> Response[Any]:
        """Show the settings; ``done`` tells what has just been saved."""
        return await _form(game, actor, show, done)

    @post("/settings/password")
    async def password(
        self, request: AnyRequest, game: TheGame, actor: TheActor, show: TheShow, settings: TheSettings
    ) -> Response[Any]:
        """Change the password, which ends all other logins."""
        fields = await fields_of(request)
        current, new = fields.get("current", ""), fields.get("new", "")
        try:
            if new != fields.get("again", ""):
                raise Invalid(FieldProblem("again", Text(_DIFFERS)))  # noqa: TRY301  told like the game's own problems
            token = await game.accounts.change_password(actor, current, new, client=show.reader.client)
        except (Invalid, RateLimited) as error:
            return await _form(game, actor, show, error=error)
        response = show.redirect("/settings?done=password")
        remember(response, settings, token, game.accounts.login_lifetime)
        return response

    @post("/settings/preferences")
    async def preferences(self, request: AnyRequest, game: TheGame, actor: TheActor, show: TheShow) -> Response[Any]:
        """Save language and looks."""
        fields = await fields_of(request)
        language, theme = fields.get("language") or None, fields.get("theme") or None
        try:
            await game.accounts.set_preferences(actor, language=language, theme=theme)
        except Invalid as error:
            return await _form(game, actor, show, error=error)
        return show.redirect("/settings?done=preferences")

    @post("/settings/theme")
    async def theme(self, request: AnyRequest, game: TheGame, actor: TheActor, settings: TheSettings) -> Response[Any]:
        """Turn the lights on or off, and stay on the page."""
        fields = await fields_of(request)
        await game.accounts.set_preferences(actor, language=actor.language, theme=fields.get("theme") or None)
        return Redirect(safe_next(settings, fields.get("next")), status_code=303)

    @post("/settings/logins/{login_id:str}/revoke")
    async def revoke(self, game: TheGame, actor: TheActor, show: TheShow, login_id: FromPath[str]) -> Response[Any]:
        """End another login of one's own."""
        await game.accounts.revoke_login(actor, login_id)
        return show.redirect("/settings?done=login")


async def _form(
    game: Game, actor: Actor, show: Show, done: str = "", error: ChatsuboError | None = None
) -> Response[Any]:
    return await show.page(
        "settings.html",
        error,
        logins=await game.accounts.logins(actor, show.reader.token or ""),
        done=done,
        problems=show.reasons(error),
    )
