"""``chatsubo demo``: play at once, with everything embedded."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import uvloop

from chatsubo.cli import console
from chatsubo.domain.text import N_, Text

if TYPE_CHECKING:
    from chatsubo.app.demo import Demo

FOLDER = Path(".demo")


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on. [default: 8080, or any free one]")
@click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    show_default=True,
    help="Where the demo keeps its game. Remove it to begin anew.",
)
@console.json_option
def demo(port: int | None, folder: Path, *, as_json: bool) -> None:
    """Play at once: a platform with everything embedded, and two small boxes to break.

    Prints where to go and who to log in as, then serves until Ctrl-C. With --json that is one line, written once the
    demo answers: {"url": ..., "admin": {"username": ..., "password": ...}, "player": {...}}.
    """
    from chatsubo.app.demo import demo as start  # noqa: PLC0415  the web server and the engine take half a second

    async def run() -> None:
        async with start(folder, port) as started:
            _tell(started, as_json=as_json)
            await started.serving

    uvloop.run(run())


def _tell(started: "Demo", *, as_json: bool) -> None:
    people = {"admin": started.admin, "player": started.player}
    if as_json:
        logins = {role: {"username": who.username, "password": who.password} for role, who in people.items()}
        console.data({"url": started.url, **logins})
        return
    console.say(Text(N_("Chatsubo is open: {url}"), {"url": started.url}), style="bold")
    console.table(
        [N_("Log in as"), N_("Username"), N_("Password")],
        [
            [N_("player, to break boxes"), started.player.username, started.player.password],
            [N_("organiser, to look behind the bar"), started.admin.username, started.admin.password],
        ],
    )
    console.say(Text(N_("Machines come from: {providers}"), {"providers": ", ".join(started.platform.providers)}))
    console.say(N_("Ctrl-C closes it. What you did is kept for the next time."))
