"""Turns away what no page of ours sends: requests from other sites, without a CSRF token, or with NUL characters.

The comparison of the tokens is Litestar's (:class:`litestar.config.csrf.CSRFConfig`); this stands before it, because it
takes values of any type and shape as they come, and never replaces a cookie that an older secret signed.
"""

import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from litestar import Request
from litestar.config.csrf import CSRFConfig
from litestar.enums import RequestEncodingType, ScopeType
from litestar.middleware.csrf import generate_csrf_hash
from litestar.types import ASGIApp, Receive, Scope, Send
from litestar.utils.scope.state import ScopeState

from chatsubo.web.dependencies import AnyRequest
from chatsubo.web.logins import cookie_name, cookie_path
from chatsubo.web.refusals import CrossSite, Malformed, WrongHost, WrongMediaType
from chatsubo.web.settings import WebSettings, is_address

HEADER = "X-CSRF-Token"
FIELD = "_csrf_token"
_TOKEN = re.compile(r"[0-9a-f]{128}")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_FIELDS = 2000


def csrf_config(settings: WebSettings) -> CSRFConfig:
    """Return Litestar's settings: a cookie as strict as the login's; none with what any cache may keep for everyone."""
    return CSRFConfig(
        secret=settings.csrf_secret.reveal(),
        cookie_name=cookie_name(settings, "chatsubo-csrf"),
        cookie_path=cookie_path(settings),
        header_name=HEADER,
        cookie_secure=settings.secure,
        cookie_httponly=True,
        cookie_samesite="lax",
        exclude=[rf"^{re.escape(settings.prefix)}/(?:static/|boxes/[^/]+/cover\.svg$|healthz$|readyz$|metrics$)"],
    )


class Screening:
    """Looks at each request before its route does.

    Args:
        app: What comes next.
        settings: What our address is.
        csrf: How the tokens are signed.
    """

    def __init__(self, app: ASGIApp, settings: WebSettings, csrf: CSRFConfig) -> None:
        self._app = app
        self._settings = settings
        self._csrf = csrf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it.

        Raises:
            CrossSite: If it comes from another site, or its token cannot be one.
            Malformed: If it holds NUL characters.
            WrongHost: If it is meant for another name than ours, where that tells of an attack.
            WrongMediaType: If its body is a multipart form.
        """
        if scope["type"] == ScopeType.HTTP:
            request: AnyRequest = Request(scope, receive, send)
            if "\0" in scope["path"] or b"%00" in scope["query_string"] or b"\0" in scope["query_string"]:
                raise Malformed
            if is_rebound(request.headers, self._settings):
                raise WrongHost(url=self._settings.public_url)
            self._drop_stale_cookie(request)
            if request.method not in _SAFE:
                await self._screen(request)
        await self._app(scope, receive, send)

    async def _screen(self, request: AnyRequest) -> None:
        if is_cross_site(request.headers, self._settings.origin):
            raise CrossSite
        # No page sends one, and Litestar would decode its parts by whatever codec they name: of "punycode", which
        # takes quadratic time, some hundred kilobytes stand the server still for minutes.
        if request.content_type[0] == RequestEncodingType.MULTI_PART:
            raise WrongMediaType
        token = request.headers.get(HEADER)
        if request.content_type[0] == RequestEncodingType.URL_ENCODED:
            form = await _form(request)
            token = form.get(FIELD) if token is None else token
        elif not _is_text(await request.body()):
            raise Malformed
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise CrossSite

    def _drop_stale_cookie(self, request: AnyRequest) -> None:
        """Act as if a cookie that was not signed with our secret was not there, so that a good one is set."""
        cookie = request.cookies.get(self._csrf.cookie_name)
        if cookie is None or self._is_signed(cookie):
            return
        rest = {name: value for name, value in request.cookies.items() if name != self._csrf.cookie_name}
        ScopeState.from_scope(request.scope).cookies = rest

    def _is_signed(self, cookie: str) -> bool:
        if not _TOKEN.fullmatch(cookie):
            return False
        return hmac.compare_digest(generate_csrf_hash(cookie[:64], self._csrf.secret), cookie[64:])


def is_cross_site(headers: Mapping[str, str], origin: str) -> bool:
    """Return whether a browser says that another site made the request.

    Browsers tell so in ``Sec-Fetch-Site``, and over plain http, where that is missing, in ``Origin``. What tells
    neither is no browser, and cannot be tricked into a request.

    Args:
        headers: The request's.
        origin: Our public one, as in ``https://ctf.example``.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    source = headers.get("origin")
    if source is None:
        return False
    return source != origin and source.rpartition("://")[2].lower() != headers.get("host", "").lower()


def is_rebound(headers: Mapping[str, str], settings: WebSettings) -> bool:
    """Return whether a request to a server for this machine alone was made to the name of another site.

    Such a site lets its name stand for 127.0.0.1 once its page is loaded (DNS rebinding); the browser then takes our
    answers for that site's own. An address cannot be rebound, nor can a name that only this machine resolves.

    Args:
        headers: The request's.
        settings: Who can reach us. What others reach anyway needs no such trick.
    """
    if not settings.is_local:
        return False
    try:
        name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return True
    return not (name in {"", "localhost"} or is_address(name))


def _is_text(body: bytes) -> bool:
    """Return whether a body that is no form is UTF-8, as all JSON is (RFC 8259, section 8.1)."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


async def _form(request: AnyRequest) -> Mapping[str, Any]:
    """Return the fields of a form.

    Litestar keeps the last 1024 URL-encoded bodies, passwords and all, for programs that send the same twice; parsed
    here first, they are not kept.
    """
    ScopeState.from_scope(request.scope).form = _fields(await request.body())
    form = await request.form()
    if any(isinstance(value, str) and "\0" in value for pair in form.multi_items() for value in pair):
        raise Malformed
    return form


def _fields(body: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise Malformed from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in fields.items()}
