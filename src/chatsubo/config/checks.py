"""The rules for texts in the configuration that only the platform's own sections need."""

import re

from chatsubo.config.errors import InvalidValue
from chatsubo.domain.text import N_, Text

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SQLITE = re.compile(r"sqlite:///(?!:memory:)[^?\x00]+")
# As SQLAlchemy reads it, which lets a password hold anything but an at sign.
_POSTGRESQL = re.compile(
    r"postgres(ql)?://([^:/@]*(:[^@]*)?@)?(?P<place>(\[[0-9A-Fa-f:.]+\]|[^/:?@\[\]]*)(:[0-9]{1,5})?/[^?@]+)(\?.*)?"
)
_PATH = re.compile(r"/[^\s?#\x00-\x1f\x7f]*")


def header_name(text: str) -> str:
    """Return ``text``, if it can name an HTTP header (RFC 9110, section 5.1).

    Raises:
        InvalidValue: It cannot.
    """
    if not _HEADER.fullmatch(text):
        raise InvalidValue(Text(N_("the name of an HTTP header, as in X-Chatsubo-Token")))
    return text


def url_path(text: str) -> str:
    """Return ``text``, if it is the path of a URL.

    Raises:
        InvalidValue: It is not.
    """
    if not _PATH.fullmatch(text):
        raise InvalidValue(Text(N_("a path that begins with a slash, as in /api/check")))
    return text


def username_path(text: str) -> str:
    """Return ``text``, if it is the path of a URL with a place for the player.

    Raises:
        InvalidValue: It is not, or ``:username`` is missing.
    """
    if not _PATH.fullmatch(text) or ":username" not in text:
        raise InvalidValue(Text(N_("a path with :username in it, as in /api/vpn/get/:username")))
    return text


def database_url(text: str) -> str:
    """Return ``text``, if it is the URL of a SQLite file or a PostgreSQL database.

    Raises:
        InvalidValue: It is neither.
    """
    if not _SQLITE.fullmatch(text) and not _POSTGRESQL.fullmatch(text):
        expected = Text(N_("sqlite:/// with a path, or postgresql://USER:PASSWORD@HOST/DATABASE"))
        raise InvalidValue(expected, reveal=False)
    return text.replace("postgres://", "postgresql://", 1)


def database_label(text: str) -> str:
    """Return a database's URL without user, password and options, for people."""
    if match := _POSTGRESQL.fullmatch(text):
        return f"postgresql://{match['place']}"
    return text if _SQLITE.fullmatch(text) else "***"
