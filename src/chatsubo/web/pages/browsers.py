"""What browsers call themselves, in two words."""

_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("FreeBSD", "FreeBSD"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """Return program and system, as in ``Firefox, Linux``, of a ``User-Agent`` header; one of no known form as it is.

    Each browser also names those that it came after (https://developer.mozilla.org/docs/Web/HTTP/Headers/User-Agent),
    so the order matters.
    """
    parts = [next((name for sign, name in known if sign in agent), "") for known in (_PROGRAMS, _SYSTEMS)]
    return ", ".join(part for part in parts if part) or agent[:80]
