"""What can go wrong between the platform and its gates."""

from typing import Any

from chatsubo.domain.errors import Conflict, NotFound, Unavailable
from chatsubo.domain.text import N_


class GateError(Unavailable):
    """A gate did not give what it was asked for.

    Attributes:
        detail: The technical reason, in English, for organisers and logs. Never a secret.
    """

    code = "gate-error"
    message = N_("The VPN gate of {realm} reported an error. Try again in a minute, or tell an organiser.")

    def __init__(self, detail: str, **params: Any) -> None:
        super().__init__(**params)
        self.detail = detail


class RealmFull(GateError):
    """A gate has no place left."""

    code = "realm-full"
    message = N_("The VPN gate of {realm} is full. Tell an organiser.")


class TokenRefused(GateError):
    """A gate does not know us by the token that we have for it."""


class NoGate(NotFound):
    """No gate serves the realm."""

    code = "no-gate"
    message = N_("No VPN gate serves this realm.")


class OldGate(Conflict):
    """The gate is an old one, which knows nothing beyond giving accesses."""

    code = "old-gate"
    message = N_("The VPN gate of {realm} is an older one: it always gives the same configuration. Ask an organiser.")


class PictureRefused(Exception):
    """A gate holds a newer picture of who may reach what.

    Attributes:
        version: Of the one that it holds.
    """

    def __init__(self, version: int) -> None:
        super().__init__(f"the gate holds the picture of version {version}")
        self.version = version
