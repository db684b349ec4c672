"""What an error that reached the frame of the commands means for the person who typed one."""

import click
from sqlalchemy.exc import DBAPIError

from chatsubo.cli.console import Failure, Misconfigured
from chatsubo.config import ConfigError
from chatsubo.domain.errors import ChatsuboError
from chatsubo.domain.text import N_, Text
from chatsubo.gate.errors import GateFault
from chatsubo.providers.exc import ProviderError

_DRIVERS = {"asyncpg", "psycopg"}
_GATE = {"cryptography", "pyroute2"}


def explain(error: Exception) -> click.ClickException:
    """Return the failure to show for ``error``."""
    if isinstance(error, ConfigError):
        check = Text(N_("See it as a table: chatsubo check-config {file}"), {"file": error.source})
        return Misconfigured(str(error), check)
    if isinstance(error, ProviderError):
        detail = f" ({error.detail})" if error.detail else ""
        return Failure(f"{error.text}{detail}")
    if isinstance(error, GateFault):
        return Failure(str(error))
    if isinstance(error, ChatsuboError):
        return Failure(error.text)
    return _foreign(error)


def _foreign(error: Exception) -> Failure:
    """Return the failure for an error that is not one of ours."""
    match error:
        case DBAPIError():
            return Failure(
                Text(N_("the database refused: {reason}"), {"reason": str(error.orig).strip()}),
                Text(N_("Check database.url in the configuration, and that the database runs and has space.")),
            )
        case ModuleNotFoundError() if error.name in _DRIVERS:
            return Failure(
                Text(N_("the driver for PostgreSQL is not installed")),
                Text(N_("Install it: pip install 'chatsubo[{extra}]'"), {"extra": "postgres"}),
            )
        case ModuleNotFoundError() if error.name in _GATE:
            return Failure(
                Text(N_("what a gate needs is not installed")),
                Text(N_("Install it: pip install 'chatsubo[{extra}]'"), {"extra": "gate"}),
            )
        case OSError():
            return Failure(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    return Failure(
        Text(
            N_("something unexpected happened: {kind}: {reason}"), {"kind": type(error).__name__, "reason": str(error)}
        ),
        Text(N_("Set CHATSUBO_DEBUG=1 and run the command again to see where; please report it.")),
    )
