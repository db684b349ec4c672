"""Everybody's accounts over the API, for organisers."""

from typing import Annotated

from litestar import Controller, delete, get, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_204_NO_CONTENT

from chatsubo.game.account_admin import AccountPage, AccountState
from chatsubo.web.api.bodies import Ban
from chatsubo.web.api.description import problems
from chatsubo.web.dependencies import TheActor, TheGame

PageNumber = Annotated[int, QueryParameter(ge=1, le=1_000_000, description="Which page, from 1.")]
Search = Annotated[str, QueryParameter(max_length=64, description="A part of the name.")]


class AccountAdminController(Controller):
    """Who there is, and who is banned."""

    path = "/admin/accounts"
    tags = ("Organisers",)

    @get("/", summary="List everybody's accounts", responses=problems(401, 403))
    async def accounts(
        self,
        game: TheGame,
        admin: TheActor,
        q: Search = "",
        only: FromQuery[AccountState | None] = None,
        page: PageNumber = 1,
    ) -> AccountPage:
        """Return a hundred accounts, by name; the event ``accounts`` tells when somebody was banned or let in."""
        return await game.account_admin.accounts(admin, q, only, page)

    @put(
        "/{account_id:int}/ban",
        status_code=HTTP_204_NO_CONTENT,
        summary="Ban an account",
        responses=problems(401, 403, 404, 409, 422),
    )
    async def ban(self, account_id: FromPath[int], data: JSONBody[Ban], game: TheGame, admin: TheActor) -> None:
        """Shut an account out until the ban is lifted: it is logged out, stopped, and in no standings."""
        await game.account_admin.ban(admin, account_id, data.reason)

    @delete(
        "/{account_id:int}/ban",
        status_code=HTTP_204_NO_CONTENT,
        summary="Lift a ban",
        responses=problems(401, 403, 404),
    )
    async def lift_ban(self, account_id: FromPath[int], game: TheGame, admin: TheActor) -> None:
        """Let an account in again, with all that it had found."""
        await game.account_admin.lift_ban(admin, account_id)
