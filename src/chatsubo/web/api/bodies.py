"""What requests carry. Unknown fields are refused, so that a misspelt one is not lost silently."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from chatsubo.game.views import BoxForm, FlagForm

Word = Annotated[str, Meta(max_length=256, pattern=r"^[^\x00]*$")]
Password = Annotated[str, Meta(max_length=1024)]
Moment = Annotated[datetime, Meta(tz=True)]
Prose = Annotated[str, Meta(max_length=100_000, pattern=r"^[^\x00]*$")]


class Credentials(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name and a password."""

    username: Word
    password: Password


class PasswordChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password that the account has, and the one that it shall have."""

    current: Password
    new: Password


class Preferences(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Language (``en``, ``fr``; ``null`` is the browser's) and theme (``dark``, ``light``; ``null`` is dark)."""

    language: Annotated[str, Meta(max_length=8)] | None = None
    theme: Annotated[str, Meta(max_length=8)] | None = None


class Start(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to start a machine; without a realm, the platform chooses."""

    realm: Word | None = None


class SharedReset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In which realm; without one in all. ``at_once`` is for organisers."""

    realm: Word | None = None
    at_once: bool = False


class Submission(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A flag, and the box that it is meant for, if that is to be checked."""

    value: Annotated[str, Meta(max_length=4096)]
    box: Word | None = None


class Announcement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What everyone shall be told."""

    message: Annotated[str, Meta(max_length=4096, pattern=r"^[^\x00]*$")]


class Home(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The home page's Markdown."""

    content: Prose


class Ban(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an account is banned, in words for whoever that is."""

    reason: Annotated[str, Meta(max_length=4096, pattern=r"^[^\x00]*$")]


class EventBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the event is; ``null`` where it is open on that side."""

    opens_at: Moment | None = None
    closes_at: Moment | None = None


class FlagBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A flag of a box. Without an ``id`` it is a new one, or the one that has this name."""

    id: int | None = None
    name: Word
    value: Annotated[str, Meta(max_length=1024, pattern=r"^[^\x00]*$")] = ""
    points: int = 100
    icon: Annotated[str, Meta(max_length=64, pattern=r"^[a-z0-9-]+$")] = "flag"
    mark: Word | None = None
    case_insensitive: bool = False
    dynamic: bool = False


class BoxBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A box. ``track`` is a slug; ``new_track`` names a track to be made with the box. ``template`` never changes."""

    template: Word = ""
    name: Word
    description: Prose = ""
    os: Word = "Linux"
    difficulty: int = 1
    duration: int = 60
    track: Word = ""
    new_track: Annotated[str, Meta(max_length=64, pattern=r"^[^\x00]*$")] = ""
    authors: Annotated[tuple[Word, ...], Meta(max_length=50)] = ()
    flags: Annotated[tuple[FlagBody, ...], Meta(max_length=200)] = ()

    def form(self) -> BoxForm:
        """Return the box as the game takes it."""
        flags = tuple(FlagForm(**{name: getattr(flag, name) for name in flag.__struct_fields__}) for flag in self.flags)
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return BoxForm(**{**values, "flags": flags})
