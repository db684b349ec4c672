"""Technical output (a build's, a start's) made fit to be kept and shown."""

import re

KEPT = 256 * 1024
"""How many characters of a session's output are kept: the last ones."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def clean(output: str) -> str:
    """Return ``output`` without terminal sequences and control characters; line feeds and tabs stay."""
    return _CONTROLS.sub("", _ESCAPES.sub("", output.replace("\r\n", "\n").replace("\r", "\n")))
