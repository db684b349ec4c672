"""``chatsubo serve``: runs the platform."""

from pathlib import Path

import click
import uvloop

from chatsubo.cli import console
from chatsubo.cli.configuration import config_option, load_config


@click.command()
@config_option
def serve(file: Path) -> None:
    """Run the platform until it is told to stop.

    Providers and gates that are away are shown as such; they do not keep it from starting. SIGTERM and Ctrl-C end it
    within a few seconds; machines that run go on running.
    """
    from chatsubo.app.logs import configure_logs  # noqa: PLC0415  the web server and the engine take half a second
    from chatsubo.app.platform import running  # noqa: PLC0415

    config, registry = load_config(file)
    for warning in config.warnings:
        console.note(warning)
    configure_logs(config.logging)

    async def run() -> None:
        async with running(config, registry) as platform:
            await platform.server.serve()

    uvloop.run(run())
