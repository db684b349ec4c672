"""Everybody's accounts: who there is, and who is banned."""

from collections.abc import Awaitable
from typing import Any, get_args
from urllib.parse import urlencode

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from chatsubo.domain.errors import Conflict, Invalid
from chatsubo.game import Actor, Game
from chatsubo.game.account_admin import MAX_REASON, AccountState
from chatsubo.web.dependencies import AnyRequest, TheActor, TheGame
from chatsubo.web.pages.forms import Fields, fields_of, whole_number
from chatsubo.web.pages.rendering import Show, TheShow

STATES: tuple[AccountState, ...] = get_args(AccountState)
MAX_SEARCH = 64


class AccountDesk(Controller):
    """What organisers do with accounts."""

    path = "/admin/accounts"

    @get("/")
    async def accounts(
        self,
        *,
        game: TheGame,
        admin: TheActor,
        show: TheShow,
        q: FromQuery[str] = "",
        only: FromQuery[str] = "",
        page: FromQuery[str] = "",
    ) -> Template:
        """Show a page of all accounts, or of those whose name holds ``q``."""
        context = await _context(game, admin, q, only, page)
        if show.in_page:
            return show.fragment("accounts.html", **context)
        return await show.page("admin/accounts.html", **context)

    @post("/{account_id:int}/ban", status_code=200)
    async def ban(
        self, request: AnyRequest, game: TheGame, admin: TheActor, show: TheShow, account_id: FromPath[int]
    ) -> Response[Any]:
        """Shut an account out, for a reason."""
        fields = await fields_of(request)
        return await _do(game.account_admin.ban(admin, account_id, fields.get("reason", "")), game, admin, show, fields)

    @post("/{account_id:int}/lift", status_code=200)
    async def lift(
        self, request: AnyRequest, game: TheGame, admin: TheActor, show: TheShow, account_id: FromPath[int]
    ) -> Response[Any]:
        """Let an account in again."""
        return await _do(game.account_admin.lift_ban(admin, account_id), game, admin, show, await fields_of(request))


async def _do(act: Awaitable[None], game: Game, admin: Actor, show: Show, fields: Fields) -> Response[Any]:
    """Do something to an account, and show the part of the list that the organiser was looking at."""
    refusal = None
    try:
        await act
    except (Conflict, Invalid) as error:
        refusal = error
    place = (fields.get("q", ""), fields.get("only", ""), fields.get("page", ""))
    if refusal is None and not show.in_page:
        query = {name: value for name, value in zip(("q", "only", "page"), place, strict=True) if value}
        return show.redirect(f"/admin/accounts?{urlencode(query)}" if query else "/admin/accounts")
    context = await _context(game, admin, *place)
    context["problem"] = show.reason(refusal) if refusal else None
    if show.in_page:
        return show.fragment("accounts.html", refusal, **context)
    return await show.page("admin/accounts.html", refusal, **context)


async def _context(game: Game, admin: Actor, q: str, only: str, page: str) -> dict[str, Any]:
    chosen = next((one for one in STATES if one == only), None)
    found = await game.account_admin.accounts(admin, q[:MAX_SEARCH], chosen, max(1, whole_number(page)))
    return {"found": found, "search": q, "only": chosen, "states": STATES, "longest": MAX_REASON, "problem": None}
