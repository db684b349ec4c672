"""The configuration file as the commands use it."""

import contextlib
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import structlog

from chatsubo.cli import console
from chatsubo.config import Config, ConfigError, load, locate_plugins
from chatsubo.domain.text import N_, Text, visible
from chatsubo.providers.redaction import spoken
from chatsubo.providers.registry import Disabled, Registry

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


def load_plugins(folder: Path) -> Registry:
    """Load all plugins. What they, and what they import, print or log is no result of the command."""
    if not structlog.is_configured():
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                # Its default shows the variables of each frame: passwords, tokens, flags.
                structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
                _fit_to_be_read,
            ],
        )
    with contextlib.redirect_stdout(sys.stderr):
        return Registry.load(folder)


def load_config(file: Path) -> tuple[Config, Registry]:
    """Read ``file`` with the models of all plugins that can be used.

    Plugins that cannot be used are noted on the standard error where that may matter.

    Raises:
        ConfigError: It cannot be used.
    """
    registry = load_plugins(locate_plugins(file))
    try:
        config = load(file, registry.config_models(), hints=registry.hints(), disabled=registry.reasons())
    except ConfigError:
        _note_disabled(registry.disabled)
        raise
    _note_disabled(registry.troubles())
    return config, registry


def _fit_to_be_read(_logger: Any, _method: str, line: Any) -> str:
    return visible(spoken(str(line)))


def _note_disabled(plugins: Iterable[Disabled]) -> None:
    for plugin in plugins:
        params = {"kind": plugin.kind, "origin": plugin.origin, "reason": plugin.reason}
        console.note(Text(N_("Warning: the plugin {kind} ({origin}) is disabled: {reason}"), params))
