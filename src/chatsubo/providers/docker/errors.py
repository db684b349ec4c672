"""What the engine's errors mean, in the words of the contract."""

import asyncio
import re
import ssl

import aiohttp
from aiodocker.exceptions import DockerError

from chatsubo.providers.exc import (
    AccessRefused,
    BackendConnectionException,
    InstanceNotFound,
    Locked,
    Misconfigured,
    NoCapacity,
    ProviderError,
    TimedOut,
)

UNREACHABLE = 900
"""The status that aiodocker gives an engine that cannot be reached."""

CAUGHT = (DockerError, aiohttp.ClientError, OSError, asyncio.TimeoutError, ValueError, TypeError, KeyError, EOFError)
"""What a client library may raise when the engine is away, refuses, or answers something else than its API."""


class AddressTaken(NoCapacity):
    """The address is in use on the network."""


class PortTaken(NoCapacity):
    """The port of the host is in use."""


class NameTaken(Locked):
    """A container of that name exists."""


class ImageMissing(InstanceNotFound):
    """The image is not on the engine."""


class NetworkMissing(InstanceNotFound):
    """The network is not on the engine."""


_MEANINGS: tuple[tuple[str, type[ProviderError]], ...] = (
    (r"port is already allocated|bind for .* failed|listen tcp.*: bind: address already in use", PortTaken),
    (r"address already in use|no available ipv4 addresses", AddressTaken),
    (r"container name .* is already in use", NameTaken),
    (r"no such image|manifest.* not found|pull access denied|repository does not exist", ImageMissing),
    (r"network .* not found|no such network", NetworkMissing),
    (r"no space left on device|disk quota exceeded|cannot allocate memory|too many open files", NoCapacity),
    (r"user specified ip address is supported only|invalid address|pool overlaps", Misconfigured),
    (r"(removal|deletion) of container .* is already in progress|conflict", Locked),
)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), kind) for pattern, kind in _MEANINGS)

_BY_STATUS: dict[int, type[ProviderError]] = {
    401: AccessRefused,
    403: AccessRefused,
    404: InstanceNotFound,
    409: Locked,
    503: BackendConnectionException,
    507: NoCapacity,
}


def translate(error: BaseException, name: str) -> ProviderError:
    """Return what an error of the client library means.

    Args:
        error: One of :data:`CAUGHT`.
        name: The provider, as ``kind/name``.
    """
    if isinstance(error, DockerError) and error.status != UNREACHABLE:
        return meaning(error.status, error.message, name)
    if isinstance(error, asyncio.TimeoutError):
        return TimedOut(f"{name}: the engine did not answer in time")
    # aiodocker keeps the connection's own error only as what was under way.
    cause = error.__context__ if isinstance(error, DockerError) and error.__context__ else error
    for found in (getattr(cause, "certificate_error", None), getattr(cause, "os_error", None), cause):
        if isinstance(found, ssl.SSLError):
            return _tls(found, name)
    if "alert" in str(cause).lower() and "ssl" in str(cause).lower():
        return refused(name, str(cause))
    return BackendConnectionException(name, f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__)


def meaning(status: int, message: str, name: str) -> ProviderError:
    """Return what an answer of the engine means.

    Args:
        status: Its HTTP status; 0 for an error inside a stream.
        message: What it says.
        name: The provider, as ``kind/name``.
    """
    said = f"{name}: {message}".strip()
    for pattern, kind in _COMPILED:
        if pattern.search(message):
            return kind(said)
    if status in _BY_STATUS:
        kind = _BY_STATUS[status]
        return kind(name, message) if kind is BackendConnectionException else kind(said)
    return Misconfigured(said) if 400 <= status < 500 else ProviderError(said)  # noqa: PLR2004


def _tls(error: ssl.SSLError, name: str) -> ProviderError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Misconfigured(
            f"{name}: the engine's certificate cannot be trusted ({error.verify_message}): {_advice(error)}"
        )
    if "ALERT" in (error.reason or ""):
        return refused(name, error.reason or "")
    return BackendConnectionException(name, f"no TLS connection: {error.reason or error}")


def refused(name: str, reason: str) -> ProviderError:
    """Return the error for an engine that does not take our certificate."""
    return AccessRefused(
        f"{name}: the engine refuses our certificate ({reason}): look at api.client.cert, its dates and issuer"
    )


def _advice(error: ssl.SSLCertVerificationError) -> str:
    said = error.verify_message.lower()
    if "expired" in said or "not yet valid" in said:
        return "renew the engine's certificate, or set its clock"
    if "mismatch" in said or "not valid for" in said:
        return "api.host must be a name in the engine's certificate"
    return "api.client.ca must be the authority that signed it"
