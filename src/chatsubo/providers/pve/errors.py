"""What Proxmox's errors mean, in the words of the contract.

Nearly all of them are a status 500 with a sentence, so the sentence decides. Sources: the behaviour of Proxmox VE
7 to 9, and the sentences in its own sources (pve-manager, qemu-server, pve-container, pve-common).
"""

import asyncio
import re
import ssl

import aiohttp

from chatsubo.providers.exc import (
    AccessRefused,
    BackendConnectionException,
    BuildFailed,
    InstanceNotFound,
    Locked,
    Misconfigured,
    NoCapacity,
    NotReady,
    ProviderError,
    TimedOut,
)

CAUGHT = (aiohttp.ClientError, OSError, asyncio.TimeoutError, ValueError)
"""What the client library may raise when Proxmox is away, refuses, or answers something else than its API."""


class Moved(InstanceNotFound):
    """The guest is not on that node: it migrated, or it is gone. Look its node up again."""


class PeerAway(BackendConnectionException):
    """The node that we asked does not reach the one that it is about, or the cluster cannot decide anything now."""


class VmidTaken(NoCapacity):
    """A guest of that id exists."""


class SnapshotMissing(Misconfigured):
    """The guest has no snapshot of that name."""


class UnknownParameter(Misconfigured):
    """This version of Proxmox does not know a parameter that we sent."""


class Exists(Misconfigured):
    """What was to be added to a guest is there already."""


class AgentAway(ProviderError):
    """The guest agent does not answer yet: the guest is still booting."""


class AlreadyThere(ProviderError):
    """It is as it was asked to be: started already, stopped already."""


_MEANINGS: tuple[tuple[str, type[ProviderError]], ...] = (
    (r"config file already exists|\bvm \d+ already exists|\bct \d+ already exists", VmidTaken),
    (r"no qemu guest agent configured", Misconfigured),
    (r"guest agent is not running|qmp command '?guest-|^vm \d+ (is )?not running$|is not running$", AgentAway),
    (r"already running|\bnot running\b|already stopped", AlreadyThere),
    (r"configuration file .* does not exist|unable to find configuration file|no such vm|no such container", Moved),
    (r"snapshot '.*' does not exist", SnapshotMissing),
    (r"(vm|ct) is locked|got timeout|got lock (request )?timeout|trying to acquire (cfs )?lock", Locked),
    (r"detected modified configuration|checksum mismatch|got wrong lock|unable to acquire (\w+ )?lock", Locked),
    (r"is running - destroy failed|container is running|vm is running$", Locked),
    (r"no quorum|cluster not ready", PeerAway),
    (r"no space left|out of space|(not enough|insufficient) (free )?space|free space .* reached threshold", NoCapacity),
    (r"cannot allocate memory|quota exceeded", NoCapacity),
    (r"storage '.*' (does not exist|is not available|is disabled)|linked clone feature|clone failed", BuildFailed),
    (r"start failed|qemu exited with code|startup for container|failed to start", NotReady),
    (r"no such cluster node|hostname lookup .* failed|no route to host|connection (refused|timed out)",
     PeerAway),
    (r"permission check failed|only root can", AccessRefused),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), kind) for pattern, kind in _MEANINGS)

_BY_STATUS: dict[int, type[ProviderError]] = {
    401: AccessRefused,
    403: AccessRefused,
    404: Misconfigured,
    408: BackendConnectionException,
    429: Locked,
    501: Misconfigured,
    502: BackendConnectionException,
    503: BackendConnectionException,
    504: PeerAway,
    595: PeerAway,
    596: PeerAway,
    597: PeerAway,
    598: PeerAway,
    599: PeerAway,
}
_HINTS = {
    401: "look at api.user, api.token.name and api.token.value, and whether the token has expired",
    403: "give the token this right, or its user where privileges are not separated",
    595: "the node cannot be reached by the one that we asked",
    596: "the node did not answer the one that we asked",
}


def meaning(status: int, said: str, name: str, fields: dict[str, str] | None = None) -> ProviderError:
    """Return what an answer of Proxmox means.

    Args:
        status: Its HTTP status; 0 for the end of a task.
        said: Its reason phrase or message.
        name: The provider, as ``kind/name``.
        fields: Of a 400: what is wrong with which parameter.
    """
    details = "; ".join(f"{key}: {' '.join(why.split())}" for key, why in sorted((fields or {}).items()))
    told = " ".join(part for part in (said.strip(), f"({details})" if details else "") if part) or f"status {status}"
    hint = _HINTS.get(status)
    detail = f"{told}: {hint}" if hint else told
    kind = _kind(status, told)
    if issubclass(kind, BackendConnectionException):
        return kind(name, detail)
    return kind(f"{name}: {detail}")


def translate(error: BaseException, name: str) -> ProviderError:
    """Return what an error of the client library means.

    Args:
        error: One of :data:`CAUGHT`.
        name: The provider, as ``kind/name``.
    """
    if isinstance(error, asyncio.TimeoutError):
        return TimedOut(f"{name}: Proxmox did not answer in time")
    for found in (getattr(error, "certificate_error", None), getattr(error, "os_error", None), error):
        if isinstance(found, ssl.SSLCertVerificationError):
            return Misconfigured(
                f"{name}: the certificate of Proxmox cannot be trusted ({found.verify_message}): {_advice(found)}"
            )
        if isinstance(found, ssl.SSLError):
            return BackendConnectionException(
                name, f"no TLS connection: {getattr(found, 'reason', None) or 'broken off'}"
            )
    if isinstance(error, ValueError) and not isinstance(error, aiohttp.ClientError):
        return BackendConnectionException(name, "what answered does not speak the API of Proxmox: look at api.host")
    if isinstance(error, aiohttp.ClientConnectorError):
        return BackendConnectionException(name, f"no connection to {error.host}:{error.port}: {error.os_error}")
    return BackendConnectionException(name, type(error).__name__)


def _kind(status: int, told: str) -> type[ProviderError]:
    if status in (401, 403):
        return AccessRefused
    if status == 400:  # noqa: PLR2004
        if "not defined in schema" in told:
            return UnknownParameter
        if re.search(r"newid: .*(already exists|in use)", told):
            return VmidTaken
        return Exists if "already exists" in told else Misconfigured
    for pattern, kind in _COMPILED:
        if pattern.search(told):
            return kind
    return _BY_STATUS.get(status, ProviderError)


def _advice(error: ssl.SSLCertVerificationError) -> str:
    said = error.verify_message.lower()
    if "expired" in said or "not yet valid" in said:
        return "renew it, or set the clocks"
    if "mismatch" in said or "not valid for" in said:
        return "api.host must be a name in it; or set verify_ssl: false where the network in between is trusted"
    return (
        "set ca to the authority that signed it (/etc/pve/pve-root-ca.pem of any node), or verify_ssl: false where the "
        "network in between is trusted"
    )
