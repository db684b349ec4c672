"""Taking the values of a session out of what engines and programs write."""

from collections.abc import Iterable, Mapping

from chatsubo.domain.text import Text
from chatsubo.providers.base import Progress
from chatsubo.providers.docker.slots import SESSION

MASK = "***"
LONGEST_LINE = 16_384
SHORTEST = 4
"""A shorter value would hide half of any output, and is no secret."""


class Redactor:
    """Replaces secret values by a mask.

    Args:
        values: The values of a session; its id is no secret.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        secrets = {value for name, value in values.items() if name != SESSION and len(value) >= SHORTEST}
        self._secrets: Iterable[str] = sorted(secrets, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return ``text`` without secret values."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text


class RedactedProgress:
    """Passes on progress, output by whole lines and without secret values: a value may come in two pieces.

    Args:
        progress: Where to.
        redactor: What takes the values out.
    """

    def __init__(self, progress: Progress, redactor: Redactor) -> None:
        self._progress = progress
        self._redactor = redactor
        self._rest = ""

    def stage(self, text: Text) -> None:
        """Pass on what happens now."""
        self._progress.stage(text)

    def log(self, output: str) -> None:
        """Pass on the lines that are complete."""
        whole, newline, self._rest = (self._rest + output).rpartition("\n")
        if newline:
            self._progress.log(self._redactor(whole + newline))
        if len(self._rest) > LONGEST_LINE:
            self.flush()

    def flush(self) -> None:
        """Pass on what is left."""
        if self._rest:
            self._progress.log(self._redactor(self._rest))
            self._rest = ""
