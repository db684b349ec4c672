"""The cookie that keeps a browser logged in, and where to go after a login.

The names' prefixes are promises that browsers enforce (RFC 6265bis, section 4.1.3): ``__Host-`` means set over https
for this very host and all of its paths, ``__Secure-`` means set over https.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from litestar import Response
from litestar.datastructures import Cookie

from chatsubo.web.settings import WebSettings

NAME = "chatsubo"
NEXT = "next"
_LONGEST_NEXT = 512


def cookie_name(settings: WebSettings, name: str = NAME) -> str:
    """Return the full name of the cookie ``name``: with the strictest prefix that its address allows."""
    if not settings.secure:
        return name
    return f"__Secure-{name}" if settings.prefix else f"__Host-{name}"


def cookie_path(settings: WebSettings) -> str:
    """Return the path below which browsers send our cookies."""
    return settings.prefix or "/"


def remember(response: Response[Any], settings: WebSettings, token: str, lifetime: timedelta) -> None:
    """Keep the browser logged in with ``token`` for that long."""
    response.set_cookie(_cookie(settings, token, int(lifetime.total_seconds())))


def forget(response: Response[Any], settings: WebSettings) -> None:
    """Make the browser forget its login."""
    response.set_cookie(_cookie(settings, "", 0))


def safe_next(settings: WebSettings, wanted: str | None) -> str:
    """Return the path to go to after a login: ``wanted`` if it is a path of ours, else the home page.

    Args:
        settings: Where the pages are.
        wanted: What the address said, from anybody: never trusted.
    """
    home = settings.url("/")
    if not wanted or len(wanted) > _LONGEST_NEXT or not _is_our_path(settings, wanted):
        return home
    return wanted


def _is_our_path(settings: WebSettings, wanted: str) -> bool:
    # Browsers read a backslash as a slash and leave out tabs and line ends: "/\evil.example" is another host.
    decoded = unquote(wanted)
    if any(sign in text for text in (wanted, decoded) for sign in "\\\t\r\n\0") or not wanted.isascii():
        return False
    try:
        split = urlsplit(wanted)
    except ValueError:
        return False
    if split.scheme or split.netloc or not split.path.startswith("/") or wanted.startswith("//"):
        return False
    within = split.path == settings.prefix or split.path.startswith(f"{settings.prefix}/")
    return within and ".." not in unquote(split.path).split("/")


def _cookie(settings: WebSettings, value: str, max_age: int) -> Cookie:
    return Cookie(
        key=cookie_name(settings),
        value=value,
        path=cookie_path(settings),
        max_age=max_age,
        secure=settings.secure,
        httponly=True,
        samesite="lax",
    )
