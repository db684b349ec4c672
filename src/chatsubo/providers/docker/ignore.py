"""The files that a ``.dockerignore`` keeps out of a build; the client's task, not the engine's.

The rules are those of the Dockerfile reference and of moby's ``patternmatcher``: the last pattern that matches decides,
``!`` takes a file back in, ``**`` stands for any number of folders.
"""

import posixpath
import re
from collections.abc import Iterable
from functools import lru_cache


def read_patterns(text: str) -> tuple[str, ...]:
    """Return the patterns of a ``.dockerignore``, without comments and empty lines."""
    patterns = []
    for line in text.removeprefix("\ufeff").splitlines():
        stripped = line.strip()
        if not stripped or line.startswith("#"):
            continue
        sign = "!" if stripped.startswith("!") else ""
        path = posixpath.normpath(stripped.removeprefix("!").strip().lstrip("/") or ".")
        if path != ".":
            patterns.append(sign + path)
    return tuple(patterns)


def is_ignored(path: str, patterns: Iterable[str]) -> bool:
    """Return whether ``path`` stays out.

    Args:
        path: Relative to the folder, with slashes.
        patterns: As :func:`read_patterns` gives them.
    """
    parents = [path]
    while "/" in parents[-1]:
        parents.append(parents[-1].rpartition("/")[0])
    ignored = False
    for pattern in patterns:
        if any(_compiled(pattern.removeprefix("!")).fullmatch(parent) for parent in parents):
            ignored = not pattern.startswith("!")
    return ignored


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    pieces = []
    position = 0
    while position < len(pattern):
        rest = pattern[position:]
        if rest.startswith("**/"):
            pieces.append("(?:.*/)?")
            position += 3
        elif rest.startswith("**"):
            pieces.append(".*")
            position += 2
        elif rest[0] in "*?":
            pieces.append("[^/]*" if rest[0] == "*" else "[^/]")
            position += 1
        elif match := re.match(r"\[(\^?)([^\]\[\\]+)\]", rest):
            pieces.append(f"[{match[1]}{match[2]}]")
            position += match.end()
        else:
            position += 2 if rest[0] == "\\" and len(rest) > 1 else 1
            pieces.append(re.escape(rest[1] if rest[0] == "\\" and len(rest) > 1 else rest[0]))
    try:
        return re.compile("".join(pieces), re.DOTALL)
    except re.error:
        return re.compile(re.escape(pattern))
