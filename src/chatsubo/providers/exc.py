"""What can go wrong with a hypervisor, said so that the caller knows what to do.

Plugins turn every error of their client library into one of these. They carry no HTTP status, and no secret:
``detail`` goes to logs and organisers, ``text`` to players.
"""

from enum import Enum
from typing import Any, ClassVar

from chatsubo.domain.text import N_, Text


class Advice(Enum):
    """What the caller should do about an error."""

    RETRY = "retry"
    """The same call may go through in a while."""
    GIVE_UP = "give-up"
    """The same call would fail again."""
    ASK_ADMIN = "ask-admin"
    """Somebody has to change the configuration, the rights or the template first."""


class ProviderError(Exception):
    """A provider could not do what was asked.

    Attributes:
        advice: What the caller should do.
        message: The sentence for players, with its placeholders, marked for translation.
        detail: The technical reason, in English, for organisers and logs. Never a secret.
        retry_after: Seconds to wait before a retry, where the hypervisor says so.
    """

    advice: ClassVar[Advice] = Advice.GIVE_UP
    message: ClassVar[str] = N_("The machine's provider reported an error. Tell an organiser.")

    def __init__(self, detail: str = "", *, retry_after: float | None = None, **params: Any) -> None:
        self.detail = detail
        self.retry_after = retry_after
        self.params = params
        super().__init__(detail or str(self.text))

    @property
    def text(self) -> Text:
        """The sentence for players, to be translated where it is shown."""
        return Text(self.message, self.params)


class BackendConnectionException(ProviderError):
    """The hypervisor cannot be reached.

    Args:
        name: Which provider, as ``kind/name``.
        error: The technical reason.
    """

    advice = Advice.RETRY
    message = N_("The machine's host does not answer at the moment.")

    def __init__(self, name: str = "", error: str = "", **params: Any) -> None:
        super().__init__(": ".join(part for part in (name, error) if part), **params)


class AccessRefused(ProviderError):
    """The hypervisor refuses our credentials or lacks a right of ours."""

    advice = Advice.ASK_ADMIN
    message = N_("The machine's host refuses the platform. Tell an organiser.")


class Misconfigured(ProviderError):
    """The provider's configuration or the hypervisor's set-up does not allow this."""

    advice = Advice.ASK_ADMIN
    message = N_("The machine's host is not set up for this. Tell an organiser.")


class TemplateNotFound(ProviderError):
    """There is no template of that name, or its metadata cannot be read."""

    advice = Advice.ASK_ADMIN
    message = N_("What the machine is made from is missing. Tell an organiser.")


class InstanceNotFound(ProviderError):
    """There is no such instance any more."""

    advice = Advice.GIVE_UP
    message = N_("The machine is gone.")


class Locked(ProviderError):
    """Something else works on the machine: a backup, a migration, another task."""

    advice = Advice.RETRY
    message = N_("The machine is in use by another task of its host. Try again in a minute.")


class NoCapacity(ProviderError):
    """No memory, address, disk or place is left."""

    advice = Advice.RETRY
    message = N_("There is no room for another machine at the moment. Try again later.")


class TimedOut(ProviderError):
    """The time limit ran out."""

    advice = Advice.RETRY
    message = N_("The machine's host took too long.")


class BuildFailed(ProviderError):
    """The template does not build; the log says why."""

    advice = Advice.ASK_ADMIN
    message = N_("The machine could not be built from its template. Tell an organiser.")


class NotReady(ProviderError):
    """The machine was started but its service never answered."""

    advice = Advice.GIVE_UP
    message = N_("The machine was started, but its service never answered.")


class Cancelled(ProviderError):
    """The start was called off; nothing is left of it."""

    advice = Advice.GIVE_UP
    message = N_("The start was called off.")


class MetadataNotFoundException(ProviderError):
    """A machine has no labels of ours: it is not a box."""

    advice = Advice.ASK_ADMIN
    message = N_("The machine carries no labels.")


class MalformedMetadataException(ProviderError):
    """A machine's labels cannot be read."""

    advice = Advice.ASK_ADMIN
    message = N_("The machine's labels cannot be read.")


class VpnProviderNotFoundException(ProviderError):
    """No gate serves the realm."""

    advice = Advice.ASK_ADMIN
    message = N_("No VPN gate serves this realm.")


class VpnProviderErrorException(ProviderError):
    """The realm's gate reported an error."""

    advice = Advice.RETRY
    message = N_("The VPN gate reported an error. Try again in a minute.")


def described(error: BaseException) -> str:
    """Return the name and the text of what a plugin raised, whose ``__str__`` may raise too."""
    name = type(error).__name__
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001  a stranger's code, which may end the process
        return f"{name} (it cannot be told in words)"
    return f"{name}: {text}" if text else name
