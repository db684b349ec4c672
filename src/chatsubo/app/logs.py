"""How the platform writes its log: ours and the libraries', in one shape, on the standard error."""

import logging
import sys
from io import StringIO
from typing import Any, TextIO

import structlog

from chatsubo.config import Logging
from chatsubo.domain.text import visible
from chatsubo.providers.redaction import spoken

_LOUD = ("dbos", "alembic", "sqlalchemy", "asyncio", "aiohttp", "uvicorn", "httpx", "httpcore", "proxmoxer", "urllib3")


def _without_secrets(_logger: Any, _method: str, line: Any) -> str:
    """Take out what plugins that were given secrets as plain text write by themselves, or through their libraries."""
    return spoken(str(line))


def _visible(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Let nothing that was said by others command the terminal of who reads the log."""
    return {key: visible(value) if isinstance(value, str) else value for key, value in event.items()}


def _traceback(file: TextIO, raised: structlog.typing.ExcInfo) -> None:
    """Write a stack trace; the default shows the variables of each frame: passwords, tokens, flags."""
    plain = StringIO()
    structlog.dev.plain_traceback(plain, raised)
    file.write(visible(plain.getvalue()))


def configure_logs(settings: Logging) -> None:
    """Set logging up for this process.

    Args:
        settings: JSON lines or lines for people, and the least severe message that is written.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor
    if settings.format == "json":
        renderer = structlog.processors.JSONRenderer()
        shared.append(structlog.processors.format_exc_info)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_traceback)
        shared.append(_visible)
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer, _without_secrets],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _LOUD:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
