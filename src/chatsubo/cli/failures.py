"""What an error that reached the frame of the commands means for the person who typed one."""

import click

from chatsubo.cli.console import Failure, Misconfigured
from chatsubo.config import ConfigError
from chatsubo.domain.errors import ChatsuboError
from chatsubo.domain.text import N_, Text
from chatsubo.providers.exc import ProviderError


def explain(error: Exception) -> click.ClickException:
    """Return the failure to show for ``error``."""
    if isinstance(error, ConfigError):
        check = Text(N_("See it as a table: chatsubo check-config {file}"), {"file": error.source})
        return Misconfigured(str(error), check)
    if isinstance(error, ProviderError):
        detail = f" ({error.detail})" if error.detail else ""
        return Failure(f"{error.text}{detail}")
    if isinstance(error, ChatsuboError):
        return Failure(error.text)
    if isinstance(error, OSError):
        return Failure(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    unexpected = Text(N_("something unexpected happened: {kind}: {reason}"))
    return Failure(
        Text(unexpected.message, {"kind": type(error).__name__, "reason": str(error)}),
        Text(N_("Set CHATSUBO_DEBUG=1 and run the command again to see where; please report it.")),
    )
