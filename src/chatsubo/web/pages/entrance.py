"""Logging in, registering, logging out."""

from collections.abc import Awaitable
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from chatsubo.domain.errors import BadCredentials, Banned, Closed, Invalid, RateLimited, Taken
from chatsubo.game import Actor, Game
from chatsubo.web.dependencies import AnyRequest, TheGame, TheSettings, TheViewer
from chatsubo.web.logins import forget, remember, safe_next
from chatsubo.web.pages.forms import Fields, fields_of
from chatsubo.web.pages.rendering import Show, TheShow
from chatsubo.web.settings import WebSettings

_REFUSALS = (BadCredentials, Banned, Closed, Invalid, RateLimited, Taken)


class Entrance(Controller):
    """The way in and the way out."""

    @get("/login")
    async def login_form(
        self,
        viewer: TheViewer,
        show: TheShow,
        settings: TheSettings,
        next: FromQuery[str] = "",  # noqa: A002  its name in the address
    ) -> Response[Any]:
        """Ask for name and password."""
        if viewer is not None:
            return Redirect(safe_next(settings, next), status_code=303)
        return await show.page("login.html", fields={"username": "", "next": next}, problems={})

    @post("/login")
    async def login(self, request: AnyRequest, game: TheGame, show: TheShow, settings: TheSettings) -> Response[Any]:
        """Log in and go where one wanted to."""
        fields = await fields_of(request)
        name, password = fields.get("username", ""), fields.get("password", "")
        asked = game.accounts.login(name, password, client=show.reader.client)
        return await _enter(asked, "login.html", fields, game=game, show=show, settings=settings)

    @get("/register")
    async def registration_form(self, viewer: TheViewer, show: TheShow) -> Response[Any]:
        """Ask for a name and a password to be."""
        if viewer is not None:
            return show.redirect("/")
        return await show.page("register.html", fields={"username": ""}, problems={})

    @post("/register")
    async def register(self, request: AnyRequest, game: TheGame, show: TheShow, settings: TheSettings) -> Response[Any]:
        """Make an account and log it in."""
        fields = await fields_of(request)
        name, password = fields.get("username", ""), fields.get("password", "")
        asked = game.accounts.register(name, password, client=show.reader.client)
        return await _enter(asked, "register.html", fields, game=game, show=show, settings=settings)

    @post("/logout")
    async def logout(self, game: TheGame, show: TheShow, settings: TheSettings) -> Response[Any]:
        """End this login."""
        if show.reader.token is not None:
            await game.accounts.logout(show.reader.token)
        response = show.redirect("/")
        forget(response, settings)
        return response


async def _enter(
    asked: Awaitable[tuple[Actor, str]],
    form: str,
    fields: Fields,
    *,
    game: Game,
    show: Show,
    settings: WebSettings,
) -> Redirect | Template:
    """Return the answer to a login or a registration: on to the pages, or the form again.

    A login that this browser had before is ended: its cookie is replaced, and only a thief would still hold it.
    """
    try:
        _, token = await asked
    except _REFUSALS as error:
        kept = {name: fields.get(name, "") for name in ("username", "next")}
        return await show.page(form, error, fields=kept, problems=show.reasons(error))
    if show.reader.token is not None:
        await game.accounts.logout(show.reader.token)
    response = Redirect(safe_next(settings, fields.get("next")), status_code=303)
    remember(response, settings, token, game.accounts.login_lifetime)
    return response
