"""``chatsubo user``: accounts, from the server's own command line."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TextIO, TypeVar

import click

from chatsubo.cli import console
from chatsubo.cli.configuration import config_option, load_config
from chatsubo.domain.errors import NotFound
from chatsubo.domain.text import N_, Text

Result = TypeVar("Result")

password_option = click.option(
    "--password-file",
    type=click.File("r"),
    help="Read the password from this file, - for standard input. Without it one is made and shown.",
)
role_option = click.option(
    "--role", type=click.Choice(["player", "admin"]), default="player", show_default=True, help="What it may do."
)


@click.group()
def user() -> None:
    """Look after accounts."""


@user.command()
@click.argument("username")
@role_option
@password_option
@config_option
@console.json_option
def create(username: str, role: str, password_file: TextIO | None, file: Path, *, as_json: bool) -> None:
    """Make an account for USERNAME."""
    from chatsubo.game import Game, Role  # noqa: PLC0415

    password, made = _password(password_file)

    async def act(game: Game) -> None:
        await game.accounts.create(username, password, Role(role))

    _with_game(file, act)
    _tell(as_json=as_json, text=Text(N_("{username} can log in now."), {"username": username}), made=made)


@user.command()
@click.argument("username")
@click.option("--role", type=click.Choice(["player", "admin"]), default="admin", show_default=True)
@config_option
def promote(username: str, role: str, file: Path) -> None:
    """Set what USERNAME may do; it holds from the next request on."""
    from chatsubo.game import Game, Role  # noqa: PLC0415

    async def act(game: Game) -> None:
        await game.accounts.set_role(username, Role(role))

    _with_game(file, act, username)
    console.say(Text(N_("{username} is {role} now."), {"username": username, "role": role}))


@user.command()
@click.argument("username")
@password_option
@config_option
@console.json_option
def password(username: str, password_file: TextIO | None, file: Path, *, as_json: bool) -> None:
    """Set the password of USERNAME, and end all of its logins."""
    from chatsubo.game import Game  # noqa: PLC0415

    new, made = _password(password_file)

    async def act(game: Game) -> None:
        await game.accounts.set_password(username, new)

    _with_game(file, act, username)
    _tell(as_json=as_json, text=Text(N_("{username} has a new password."), {"username": username}), made=made)


def _password(file: TextIO | None) -> tuple[str, str | None]:
    """Return the password, and again if it was made here and must be shown."""
    if file is not None:
        return str(file.read()).rstrip("\r\n"), None
    made = secrets.token_urlsafe(12)
    return made, made


def _tell(*, as_json: bool, text: Text, made: str | None) -> None:
    if as_json:
        console.data({**text.params, **({"password": made} if made else {})})
        return
    console.say(text)
    if made:
        console.say(Text(N_("Password: {password}"), {"password": made}))


def _with_game(file: Path, act: Callable[..., Awaitable[Result]], username: str = "") -> Result:
    """Run ``act`` on the configured database, without engine and lab."""
    from chatsubo.app.storage import open_database  # noqa: PLC0415
    from chatsubo.game import Game  # noqa: PLC0415
    from chatsubo.live.bus import Bus  # noqa: PLC0415

    async def run() -> Result:
        db = await open_database(load_config(file)[0])
        game = Game.build(db, Bus())
        try:
            return await act(game)
        except NotFound:
            message = Text(N_("There is no account called {username}."), {"username": username})
            raise console.Failure(message, N_("Names compare without case; see the page Users for all.")) from None
        finally:
            await game.aclose()
            await db.aclose()

    return asyncio.run(run())
