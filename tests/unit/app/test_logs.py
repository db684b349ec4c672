"""The log of the platform is read in terminals."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from chatsubo.app.logs import configure_logs
from chatsubo.config import Logging


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Set logging up again as it was."""
    root, before = logging.getLogger(), structlog.get_config() if structlog.is_configured() else None
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    if before is not None:
        structlog.configure(**before)


@pytest.mark.parametrize("form", ["console", "json"])
def test_what_others_say_commands_no_terminal_that_shows_the_log(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Logging(format=form))  # type: ignore[arg-type]
    log = structlog.get_logger("hostile")
    said = "\x1b[2J\x9b"
    log.info("plugin.said", output=said)
    logging.getLogger("library").warning("it said %s", said)
    try:
        raise ValueError(said)  # noqa: TRY301
    except ValueError:
        log.exception("provider.misbehaved")
        logging.getLogger("library").exception("likewise")
    written = capsys.readouterr().err
    assert written.count("\\u001b[2J\\u009b") >= 4
    assert not set(written) & set("\x1b\x9b")
