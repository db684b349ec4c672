"""The commands, one file each, and the frame around them.

The frame knows what the commands are called and where they are, and imports one when it is used: ``chatsubo --help``
answers at once.
"""

import importlib
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import click


class Lazy(NamedTuple):
    """A command that is imported when it is used.

    Attributes:
        target: Where it is, as ``module:attribute``.
        summary: Its line in the list of commands.
    """

    target: str
    summary: str


COMMANDS: Mapping[str, Lazy] = {
    "check-config": Lazy("chatsubo.cli.check_config:check_config", "Check a configuration file."),
    "demo": Lazy("chatsubo.cli.demo:demo", "Play at once: everything embedded."),
    "serve": Lazy("chatsubo.cli.serve:serve", "Run the platform."),
    "gate": Lazy("chatsubo.cli.gate:gate", "Run and look after a VPN gate."),
    "doctor": Lazy("chatsubo.cli.doctor:doctor", "Say what is reachable, what is not, what to do."),
    "inventory": Lazy("chatsubo.cli.inventory:inventory", "Show what each provider shows now."),
    "plugin": Lazy("chatsubo.cli.plugin:plugin", "Look after plugins."),
    "db": Lazy("chatsubo.cli.db:db", "Look after the database."),
    "user": Lazy("chatsubo.cli.user:user", "Look after accounts."),
    "box": Lazy("chatsubo.cli.box:box", "Look after boxes."),
}

DEBUG = "CHATSUBO_DEBUG"
"""Set to 1, an unexpected error shows its stack trace."""


class Frame(click.Group):
    """A group that imports its commands on demand and turns every error into a line and an exit code.

    Exit codes: 0 for success, 1 for failure, 2 for wrong usage or a configuration that cannot be used.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the signature is click's
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command ``cmd_name``; None where there is none of that name."""
        lazy = COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        module, _, attribute = lazy.target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if os.environ.get(DEBUG) == "1":
                raise
            from chatsubo.cli.failures import explain  # noqa: PLC0415  only where something went wrong

            raise explain(error) from None


@click.group(cls=Frame, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="chatsubo", prog_name="chatsubo", message="%(prog)s %(version)s")
def main() -> None:
    """Chatsubo: a capture-the-flag platform about attacking whole vulnerable machines."""
