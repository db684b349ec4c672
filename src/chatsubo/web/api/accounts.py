"""Accounts and logins over the API."""

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT
from litestar.utils.scope.state import ScopeState

from chatsubo.game import Game
from chatsubo.game.actor import Actor
from chatsubo.game.views import LoginView, Me
from chatsubo.web.api.answers import Answer
from chatsubo.web.api.bodies import Credentials, PasswordChange, Preferences
from chatsubo.web.api.description import problems
from chatsubo.web.dependencies import AnyRequest, TheActor, TheGame, TheReader, TheSettings
from chatsubo.web.logins import forget, remember
from chatsubo.web.reader import Reader
from chatsubo.web.screening import HEADER
from chatsubo.web.settings import WebSettings


class OwnAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account that is logged in."""

    id: int
    username: str
    role: str
    language: str | None
    theme: str | None


class CsrfToken(msgspec.Struct, frozen=True, kw_only=True):
    """The token, and the header that it goes into."""

    header: str
    token: str


def own_account(actor: Actor) -> OwnAccount:
    """Return ``actor`` as its own browser sees it."""
    return OwnAccount(
        id=actor.account_id,
        username=actor.username,
        role=actor.role.value,
        language=actor.language,
        theme=actor.theme,
    )


class AccountController(Controller):
    """Registration, login, and one's own account."""

    tags = ("Account",)

    @get("/csrf", summary="Get a CSRF token")
    async def csrf(self, request: AnyRequest) -> CsrfToken:
        """Return the token that all requests but GET need, and set the cookie that belongs to it."""
        return CsrfToken(header=HEADER, token=str(ScopeState.from_scope(request.scope).csrf_token))

    @post("/register", summary="Make an account", responses=problems(409, 422, 429))
    async def register(
        self, data: JSONBody[Credentials], game: TheGame, reader: TheReader, settings: TheSettings
    ) -> Response[OwnAccount]:
        """Make a player's account and log it in."""
        actor, token = await game.accounts.register(data.username, data.password, client=reader.client)
        return await _logged_in(game, reader, settings, (actor, token), HTTP_201_CREATED)

    @post("/login", status_code=HTTP_200_OK, summary="Log in", responses=problems(401, 403, 422, 429))
    async def login(
        self, data: JSONBody[Credentials], game: TheGame, reader: TheReader, settings: TheSettings
    ) -> Response[OwnAccount]:
        """Log in, and set the login's cookie. A login that this browser had before is ended."""
        actor, token = await game.accounts.login(data.username, data.password, client=reader.client)
        return await _logged_in(game, reader, settings, (actor, token), HTTP_200_OK)

    @post("/logout", status_code=HTTP_204_NO_CONTENT, summary="Log out")
    async def logout(self, game: TheGame, reader: TheReader, settings: TheSettings) -> Response[None]:
        """End this login; without one, nothing happens."""
        if reader.token:
            await game.accounts.logout(reader.token)
        response: Response[None] = Response(None, status_code=HTTP_204_NO_CONTENT)
        forget(response, settings)
        return response

    @get("/me", summary="See your own line", responses=problems(401))
    async def me(self, game: TheGame, actor: TheActor) -> Me:
        """Return the account's name, role, score and rank."""
        return await game.catalogue.me(actor)

    @put(
        "/me/password",
        status_code=HTTP_204_NO_CONTENT,
        summary="Change your password",
        responses=problems(401, 422, 429),
    )
    async def change_password(
        self, data: JSONBody[PasswordChange], game: TheGame, actor: TheActor, reader: TheReader, settings: TheSettings
    ) -> Response[None]:
        """Change the password. All logins of the account end; this browser is given a new one."""
        token = await game.accounts.change_password(actor, data.current, data.new, client=reader.client)
        response: Response[None] = Response(None, status_code=HTTP_204_NO_CONTENT)
        remember(response, settings, token, game.accounts.login_lifetime)
        return response

    @get("/me/logins", summary="List your logins", responses=problems(401))
    async def logins(self, game: TheGame, actor: TheActor, reader: TheReader) -> list[LoginView]:
        """Return the account's logins, the last used first."""
        return await game.accounts.logins(actor, reader.token or "")

    @delete("/me/logins/{login_id:str}", summary="End one of your logins", responses=problems(401, 404))
    async def revoke(self, login_id: FromPath[str], game: TheGame, actor: TheActor) -> None:
        """End a login: its browser has to log in again."""
        await game.accounts.revoke_login(actor, login_id)

    @put(
        "/me/preferences",
        status_code=HTTP_204_NO_CONTENT,
        summary="Choose language and theme",
        responses=problems(401, 422),
    )
    async def preferences(self, data: JSONBody[Preferences], game: TheGame, actor: TheActor) -> None:
        """Set both; what is left out is as if it had never been chosen."""
        await game.accounts.set_preferences(actor, language=data.language, theme=data.theme)


async def _logged_in(
    game: Game, reader: Reader, settings: WebSettings, login: tuple[Actor, str], status: int
) -> Response[OwnAccount]:
    actor, token = login
    if reader.token:
        await game.accounts.logout(reader.token)
    response = Answer(own_account(actor), status_code=status)
    remember(response, settings, token, game.accounts.login_lifetime)
    return response
