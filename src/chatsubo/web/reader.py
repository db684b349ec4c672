"""Who reads a request's answer: found once, before anything else looks at the request."""

from dataclasses import dataclass
from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.datastructures import Headers
from litestar.types import ASGIApp, Receive, Scope, Send

from chatsubo.domain.errors import ChatsuboError, NotLoggedIn
from chatsubo.game import Game
from chatsubo.game.accounts import Client
from chatsubo.game.actor import Actor
from chatsubo.i18n import Translator
from chatsubo.web.language import choose
from chatsubo.web.logins import cookie_name
from chatsubo.web.settings import WebSettings

_KEY = "chatsubo_reader"
_LONGEST_TOKEN = 128


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads.

    Attributes:
        client: Where the request comes from.
        translator: Speaks the reader's language.
        found: The account that is logged in, if any.
        token: The token of the login, if there is one that holds.
        failure: Why it is not known who reads: the database is away.
    """

    client: Client
    translator: Translator
    found: Actor | None = None
    token: str | None = None
    failure: ChatsuboError | None = None

    @property
    def viewer(self) -> Actor | None:
        """Who is logged in, or ``None``.

        Raises:
            Unavailable: If that cannot be known now.
        """
        if self.failure is not None:
            raise self.failure
        return self.found

    @property
    def actor(self) -> Actor:
        """Who is logged in.

        Raises:
            NotLoggedIn: If nobody is.
            Unavailable: If that cannot be known now.
        """
        viewer = self.viewer
        if viewer is None:
            raise NotLoggedIn
        return viewer


def reader_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Reader:
    """Return who reads the answer."""
    return cast("dict[str, Reader]", connection.scope)[_KEY]


def is_logged_in(scope: Scope) -> bool:
    """Return whether somebody is known to be logged in; before it was looked up, nobody is."""
    reader = cast("dict[str, Reader]", scope).get(_KEY)
    return reader is not None and reader.found is not None


class Readers:
    """Finds out who reads, and hands the request on.

    Args:
        app: What comes next.
        game: Knows the logins.
        settings: Knows the cookie.
    """

    def __init__(self, app: ASGIApp, game: Game, settings: WebSettings) -> None:
        self._app = app
        self._game = game
        self._cookie = cookie_name(settings)
        self._open = tuple(settings.url(path) for path in ("/static/", "/healthz", "/readyz", "/metrics"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the reader in the ``scope``."""
        cast("dict[str, Any]", scope)[_KEY] = await self._find(scope)
        await self._app(scope, receive, send)

    async def _find(self, scope: Scope) -> Reader:
        headers = Headers.from_scope(scope)
        client = Client((scope.get("client") or ("",))[0][:64], headers.get("user-agent", "")[:256])
        token = "" if scope["path"].startswith(self._open) else _cookie(headers, self._cookie)
        found, failure = None, None
        if token:
            try:
                found = await self._game.accounts.authenticate(token)
            except ChatsuboError as error:
                failure = error
        translator = choose(found, headers.get("accept-language", ""))
        return Reader(client, translator, found, token if found else None, failure)


def _cookie(headers: Headers, name: str) -> str:
    """Return the value of our cookie. Of several, it is the first: the one with the longest path (RFC 6265, 5.4)."""
    for header in headers.getall("cookie", []):
        for pair in header.split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value if len(value) <= _LONGEST_TOKEN and value.isascii() else ""
    return ""
