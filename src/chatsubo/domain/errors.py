"""Errors of the domain: what could not be done and why, in words for the person who asked.

They carry no HTTP status; ``chatsubo.web.errors`` holds the one table from error to status.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from chatsubo.domain.text import N_, Text


class ChatsuboError(Exception):
    """Something that was asked for cannot be done.

    Attributes:
        code: A stable name for programs, such as ``"not-found"``.
        message: The English sentence with its placeholders, marked for translation.
        params: Values for the placeholders; never a secret.
    """

    code: ClassVar[str] = "error"
    message: ClassVar[str] = N_("Something went wrong.")

    def __init__(self, **params: Any) -> None:
        self.params = params
        super().__init__(str(self.text))

    @property
    def text(self) -> Text:
        """The sentence for people, to be translated where it is shown."""
        return Text(self.message, self.params)


class NotLoggedIn(ChatsuboError):
    """The act needs a login."""

    code = "not-logged-in"
    message = N_("Log in first.")


class BadCredentials(ChatsuboError):
    """The username or the password is wrong; which of them is not said."""

    code = "bad-credentials"
    message = N_("The username or the password is wrong.")


class Forbidden(ChatsuboError):
    """The acting account may not do this."""

    code = "forbidden"
    message = N_("Your account may not do this.")


class Banned(Forbidden):
    """An organiser banned the account; only who knows its password is told."""

    code = "banned"
    message = N_("This account is banned. The organisers say: {reason}")


class NotFound(ChatsuboError):
    """There is no such thing, or the acting account may not know of it."""

    code = "not-found"
    message = N_("There is no such page or thing here.")


class Conflict(ChatsuboError):
    """The thing is not in a state in which this can be done."""

    code = "conflict"
    message = N_("This cannot be done right now.")


class OwnBan(Conflict):
    """An organiser wants to ban their own account: somebody has to be left who can lift a ban."""

    code = "own-ban"
    message = N_("You cannot ban yourself. Another organiser can.")


class AlreadyRunning(Conflict):
    """The player has a live session of this box in this realm."""

    code = "already-running"
    message = N_("You already have a running machine of this box.")


class NothingRunning(Conflict):
    """The player has no live session of this box."""

    code = "nothing-running"
    message = N_("You have no running machine of this box.")


class Busy(Conflict):
    """The session is in the middle of something else."""

    code = "busy"
    message = N_("The machine is busy ({state}). Wait until it is done.")


class NotStartable(Conflict):
    """No provider offers the box's template on demand at the moment."""

    code = "not-startable"
    message = N_("No machine of this box can be started at the moment. Ask an organiser.")


class NothingShared(Conflict):
    """No provider shows a shared machine of the box."""

    code = "nothing-shared"
    message = N_("No machine of this box is there that could be reset.")


class NothingAnnounced(Conflict):
    """No reset of the shared machine is announced, or it is under way already."""

    code = "nothing-announced"
    message = N_("No reset is announced that could be called off.")


class TooManyRunning(Conflict):
    """The player's quota of live sessions is used up."""

    code = "too-many-running"
    message = N_("You have reached your limit of running machines ({limit}). Stop one first.")


class ExtensionsUsedUp(Conflict):
    """The session was extended as often as it may be."""

    code = "extensions-used-up"
    message = N_("This machine was extended as often as it may be (limit: {limit}).")


class Taken(Conflict):
    """A name that must be unique is in use."""

    code = "taken"
    message = N_("{name} is taken. Choose another name.")


class NotOpenYet(Conflict):
    """The event has not begun, so a player may not even know what there is to play."""

    code = "not-open-yet"
    message = N_("The event has not begun yet. The boxes are shown when it begins.")


class EventOver(Conflict):
    """The event has ended."""

    code = "event-over"
    message = N_("The event is over: nothing can be started or submitted any more.")


class Closed(Conflict):
    """Registration or submissions are closed."""

    code = "closed"
    message = N_("This is closed at the moment.")


class RateLimited(ChatsuboError):
    """Too many tries; ``retry_after`` says in how many seconds to come back."""

    code = "rate-limited"
    message = N_("Too many tries. Try again in {retry_after} s.")

    def __init__(self, retry_after: int, **params: Any) -> None:
        super().__init__(retry_after=retry_after, **params)
        self.retry_after = retry_after


class AskedLately(RateLimited):
    """The player asked for a reset of a shared machine not long ago."""

    code = "asked-lately"
    message = N_("You asked for a reset not long ago. You may ask again in {minutes} min.")

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after, minutes=math.ceil(retry_after / 60))


class Unavailable(ChatsuboError):
    """A server that the platform needs is away; nothing was lost, try again later."""

    code = "unavailable"
    message = N_("This is not available at the moment. Nothing was lost: try again in a minute.")


class StorageFull(Unavailable):
    """The database's disk is full."""

    code = "storage-full"
    message = N_("The server's disk is full, so nothing can be saved. Tell an organiser.")


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of a form.

    Attributes:
        field: The field's name.
        text: What was expected.
    """

    field: str
    text: Text


class Invalid(ChatsuboError):
    """One or more fields of a form are wrong; all of them are told at once."""

    code = "invalid"
    message = N_("Something in the form is not right.")

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__()
        self.problems = problems

    @classmethod
    def field(cls, field: str, message: str, **params: Any) -> "Invalid":
        """Return the error for one ``field``."""
        return cls(FieldProblem(field, Text(message, params)))
