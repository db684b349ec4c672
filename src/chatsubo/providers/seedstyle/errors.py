"""What a plugin raised, as one of the errors that say what to do."""

import errno
import re
import ssl
from socket import gaierror
from typing import Any

from chatsubo.providers.exc import (
    AccessRefused,
    BackendConnectionException,
    Misconfigured,
    ProviderError,
    TimedOut,
    described,
)
from chatsubo.providers.redaction import Redactor

_REFUSED = frozenset({401, 403})
_AWAY = frozenset({429, 502, 503, 504, 595, 596})
"""The last two are how Proxmox VE says that a node is down, or too slow."""
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_AWAY_NAMES = re.compile(r"Connect|RequestException|MaxRetryError")
_NOT_CONFIGURED = (KeyError, TypeError, ValueError, AttributeError, IndexError, ImportError, NotImplementedError)


def translated(error: BaseException, called: str, redact: Redactor, *, configuring: bool = False) -> ProviderError:
    """Return the error of ours for what a plugin raised.

    Args:
        error: What it raised; one of ours stays what it is, without secrets.
        called: What was called, as in ``pve/lab: reset``.
        redact: Takes the configuration's secrets out.
        configuring: Whether the plugin was reading its configuration.
    """
    if isinstance(error, ProviderError):
        error.detail = redact(error.detail) or f"{called} raised {type(error).__name__}"
        error.params = {key: redact(one) if isinstance(one, str) else one for key, one in error.params.items()}
        error.args = (error.detail,)
        return error
    detail = f"{called} raised {redact(described(error))}"
    kind = _kind(error, configuring)
    return kind("", detail) if kind is BackendConnectionException else kind(detail)


def _kind(error: BaseException, configuring: bool) -> type[ProviderError]:  # noqa: PLR0911  one for each kind
    status, names = _status(error), {one.__name__ for one in type(error).__mro__}
    if status in _REFUSED or isinstance(error, PermissionError) or "AuthenticationError" in names:
        return AccessRefused
    if status in _AWAY:
        return BackendConnectionException
    if status is not None:
        return ProviderError
    if isinstance(error, ssl.SSLError | FileNotFoundError) or "SSLError" in names:
        return Misconfigured
    if isinstance(error, TimeoutError) or any("Timeout" in one for one in names):
        return TimedOut
    # The errors of client libraries tell by their names: requests' own, urllib3's, and Python's ConnectionError.
    if isinstance(error, gaierror) or _errno(error) in _UNREACHABLE or any(_AWAY_NAMES.search(one) for one in names):
        return BackendConnectionException
    return Misconfigured if configuring and isinstance(error, _NOT_CONFIGURED) else ProviderError


def _errno(error: BaseException) -> int | None:
    return error.errno if isinstance(error, OSError) else None


def _status(error: Any) -> int | None:
    """Return the HTTP status that a client library's error carries."""
    for owner in (error, getattr(error, "response", None)):
        status = getattr(owner, "status_code", None)
        if isinstance(status, int):
            return status
    return None
