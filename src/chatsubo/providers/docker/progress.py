"""Telling how a start goes, without the values of its session."""

from collections.abc import Mapping

from chatsubo.domain.text import Text
from chatsubo.domain.values import redact
from chatsubo.providers.base import Progress

LONGEST_LINE = 16_384


class RedactedProgress:
    """Passes on progress, output by whole lines and without secret values: a value may come in two pieces.

    Args:
        progress: Where to.
        values: The values of the session.
    """

    def __init__(self, progress: Progress, values: Mapping[str, str]) -> None:
        self._progress = progress
        self._values = values
        self._rest = ""

    def stage(self, text: Text) -> None:
        """Pass on what happens now."""
        self._progress.stage(text)

    def log(self, output: str) -> None:
        """Pass on the lines that are complete."""
        whole, newline, self._rest = (self._rest + output).rpartition("\n")
        if newline:
            self._progress.log(redact(whole + newline, self._values))
        if len(self._rest) > LONGEST_LINE:
            self.flush()

    def flush(self) -> None:
        """Pass on what is left."""
        if self._rest:
            self._progress.log(redact(self._rest, self._values))
            self._rest = ""
