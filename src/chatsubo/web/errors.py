"""The one table from errors to HTTP statuses, and how an error is told: as a page, or as problem details (RFC 9457)."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import structlog
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from chatsubo.domain import errors
from chatsubo.domain.errors import ChatsuboError, Invalid, NotLoggedIn, RateLimited
from chatsubo.domain.text import N_
from chatsubo.i18n import Translator
from chatsubo.web import refusals
from chatsubo.web.dependencies import AnyRequest
from chatsubo.web.observation import request_id
from chatsubo.web.reader import reader_of
from chatsubo.web.settings import WebSettings
from chatsubo.web.validation import field_problem

STATUSES: Mapping[type[ChatsuboError], int] = {
    refusals.Malformed: 400,
    errors.NotLoggedIn: 401,
    errors.BadCredentials: 401,
    errors.Forbidden: 403,
    refusals.CrossSite: 403,
    errors.NotFound: 404,
    refusals.MethodNotAllowed: 405,
    errors.Conflict: 409,
    refusals.TooLarge: 413,
    refusals.WrongMediaType: 415,
    refusals.WrongHost: 421,
    errors.Invalid: 422,
    errors.RateLimited: 429,
    refusals.TooManyStreams: 429,
    refusals.Broken: 500,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
    ChatsuboError: 500,
}
"""The status of each error; a class that is not listed has that of the nearest class above it."""

TITLES: Mapping[int, str] = {
    400: N_("Not understood"),
    401: N_("Not logged in"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Not possible here"),
    409: N_("Not possible now"),
    413: N_("Too large"),
    415: N_("Not understood"),
    421: N_("Not found"),
    422: N_("Not quite right"),
    429: N_("Too many tries"),
    500: N_("Something broke"),
    503: N_("Not available"),
    507: N_("The disk is full"),
}

_OF_LITESTAR: Mapping[int, type[ChatsuboError]] = {
    400: refusals.Malformed,
    403: refusals.CrossSite,  # its CSRF check alone says 403: rights are checked by the game
    404: errors.NotFound,
    405: refusals.MethodNotAllowed,
    413: refusals.TooLarge,
    415: refusals.WrongMediaType,
}

_log = structlog.get_logger("chatsubo.web")

ErrorPage = Callable[[AnyRequest, "Problem"], Response[Any]]


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one field, in the reader's language."""

    field: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error in the reader's language, as RFC 9457 tells it; ``code`` is for programs.

    ``errors`` tells about each field of a form, ``retry_after`` (seconds) when to come back, ``incident`` the number
    under which organisers find a mistake of ours in the log.
    """

    title: str
    status: int
    detail: str
    code: str
    errors: tuple[FieldError, ...] = ()
    retry_after: int | None = None
    incident: str | None = None


def status_of(error: ChatsuboError) -> int:
    """Return the HTTP status of ``error``."""
    return next(STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES)


def problem_of(error: ChatsuboError, translator: Translator) -> Problem:
    """Return ``error`` as it is told to a reader."""
    status = status_of(error)
    fields = error.problems if isinstance(error, Invalid) else ()
    return Problem(
        title=translator.gettext(TITLES[status]),
        status=status,
        detail=translator.text(error.text),
        code=error.code,
        errors=tuple(FieldError(field=each.field, detail=translator.text(each.text)) for each in fields),
        retry_after=error.retry_after if isinstance(error, RateLimited) else None,
        incident=error.params.get("incident") if isinstance(error, refusals.Broken) else None,
    )


def exception_handlers(settings: WebSettings, page: ErrorPage) -> ExceptionHandlersMap:
    """Return Litestar's exception handlers: everything that is raised ends here.

    Args:
        settings: Where the pages and the API are.
        page: Makes the page, or the part of a page, that tells about a problem.
    """

    def answer(request: AnyRequest, raised: Exception) -> Response[Any]:
        error = _as_ours(request, raised)
        in_page = not is_for_programs(settings, request)
        if in_page and isinstance(error, NotLoggedIn):
            return _to_login(settings, request)
        translator = reader_of(request).translator
        problem = problem_of(error, translator)
        response = page(request, problem) if in_page else problem_response(problem)
        response.headers["Content-Language"] = translator.language
        for name, value in {**(getattr(raised, "headers", None) or {}), **headers_of(error)}.items():
            response.headers.setdefault(name, value)
        return response

    return {Exception: answer, HTTPException: answer, ChatsuboError: answer}


def headers_of(error: ChatsuboError) -> dict[str, str]:
    """Return the headers that belong to ``error``: when to come back, where that is known."""
    return {"Retry-After": str(error.retry_after)} if isinstance(error, RateLimited) else {}


def problem_response(problem: Problem) -> Response[bytes]:
    """Return ``problem`` for programs."""
    return Response(msgspec.json.encode(problem), status_code=problem.status, media_type="application/problem+json")


def is_for_programs(settings: WebSettings, request: AnyRequest) -> bool:
    """Return whether the address is one of the API, or another that no person looks at."""
    path = request.scope["path"]
    others = (settings.url(name) for name in ("/live", "/healthz", "/readyz", "/metrics"))
    return path.startswith(settings.url("/api/")) or path in others


def _as_ours(request: AnyRequest, raised: Exception) -> ChatsuboError:
    match raised:
        case ChatsuboError():
            return raised
        case ValidationException(extra=[*problems]) if problems:
            return Invalid(*(field_problem(each) for each in problems))
        case RecursionError():  # of JSON that is nested too deep; nothing of ours goes as deep as a request says
            return refusals.Malformed()
        case HTTPException() if raised.status_code in _OF_LITESTAR:
            return _OF_LITESTAR[raised.status_code]()
    incident = request_id(request.scope)
    _log.error("broken", incident=incident, path=quote(request.scope["path"][:256]), exc_info=raised)
    return refusals.Broken(incident=incident)


def _to_login(settings: WebSettings, request: AnyRequest) -> Response[Any]:
    login = settings.url("/login")
    if request.headers.get("hx-request"):
        path, query = _parts(request.headers.get("hx-current-url", ""))
        return Response(None, status_code=401, headers={"HX-Redirect": _with_next(login, path, query)})
    query = request.scope["query_string"].decode("latin-1") if request.method == "GET" else ""
    path = request.scope["path"] if request.method == "GET" else ""
    return Response(None, status_code=303, headers={"Location": _with_next(login, path, query)})


def _parts(url: str) -> tuple[str, str]:
    """Return the path and the query of ``url``, empty where it is none."""
    try:
        split = urlsplit(url)
    except ValueError:
        return "", ""
    return split.path, split.query


def _with_next(login: str, path: str, query: str) -> str:
    wanted = quote(path) + (f"?{query}" if query else "")
    return f"{login}?next={quote(wanted, safe='/')}" if path else login
