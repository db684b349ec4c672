"""The configuration file as the commands use it."""

import sys
from pathlib import Path

import click
import structlog

from chatsubo.config import Config, load
from chatsubo.providers.registry import Registry

DEFAULT_FILE = Path("config/chatsubo.yml")

config_option = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_FILE,
    envvar="CHATSUBO_CONFIG",
    show_default=True,
    show_envvar=True,
    help="The configuration file.",
)
"""The option ``--config`` of every command that needs the configuration, as the argument ``file``."""


def load_config(file: Path) -> tuple[Config, Registry]:
    """Read ``file`` with the models of all plugins that can be used.

    What is logged meanwhile goes to the standard error, unless logging is set up already.

    Raises:
        ConfigError: It cannot be used.
    """
    if not structlog.is_configured():
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    registry = Registry.load()
    return load(file, registry.config_models(), hints=registry.hints()), registry
