"""What people see of the game: the answers of the use cases, for pages and for the JSON API alike.

A field that somebody may not know is not filled in for them: these are made for one reader each.
"""

import re
from datetime import datetime

from msgspec import Struct

from chatsubo.domain.boxes import Level
from chatsubo.domain.text import Text

_PLAIN = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_:.+%-]*")


class Me(Struct, frozen=True, kw_only=True):
    """The reader's own line: ``rank`` is ``None`` before the first flag."""

    id: int
    username: str
    role: str
    score: int
    found: int
    rank: int | None


class TrackView(Struct, frozen=True, kw_only=True):
    """A category of boxes, and how far the reader is in it."""

    id: int
    slug: str
    name: str
    icon: str
    boxes: int
    flags: int
    found: int


class BoxCard(Struct, frozen=True, kw_only=True):
    """A box among others. ``state`` is that of the reader's live session, ``expires_at`` its end.

    ``available`` says whether a machine can be had now; ``released`` is ``False``, and ``retired`` or ``deleted`` is
    ``True``, only in what organisers see.
    """

    id: int
    slug: str
    name: str
    track: str
    track_name: str
    os: str
    difficulty: int
    level: Level
    picture: str | None
    dynamic: bool
    flags: int
    found: int
    points: int
    first_blood: str | None
    state: str | None
    expires_at: datetime | None
    available: bool
    released: bool
    retired: bool
    deleted: bool = False

    @property
    def done(self) -> bool:
        """Whether the reader has found all of its flags."""
        return self.flags > 0 and self.found >= self.flags


class FlagCard(Struct, frozen=True, kw_only=True):
    """A flag of a box, without its value. ``found_at`` is when the reader found it, ``finders`` how many have."""

    id: int
    name: str
    points: int
    icon: str
    mark: str | None
    found_at: datetime | None
    finders: int


class CredsView(Struct, frozen=True, kw_only=True):
    """An initial access that players are given."""

    type: str
    username: str
    password: str

    def ssh(self, host: str, port: int) -> str | None:
        """Return the command to log in with; ``None`` where a shell would do something else with what labels say."""
        if not (_PLAIN.fullmatch(self.username) and _PLAIN.fullmatch(host)):
            return None
        return f"ssh {'' if port == 22 else f'-p {port} '}{self.username}@{host}"  # noqa: PLR2004  the usual port


class EndpointView(Struct, frozen=True, kw_only=True):
    """A service that players can connect to."""

    name: str
    host: str
    port: int


class ResetView(Struct, frozen=True, kw_only=True):
    """A reset of a shared machine: ``state`` is ``announced``, it begins at ``due_at``, or ``resetting``."""

    state: str
    due_at: datetime
    stage: Text | None
    asked_by: str


class MachineView(Struct, frozen=True, kw_only=True):
    """One machine: of a session, or shared by all (``realm`` and ``running`` tell where and whether).

    ``reset`` is told of a shared machine that is about to be brought back to its initial state.
    """

    name: str
    address: str | None
    realm: str
    running: bool
    endpoints: tuple[EndpointView, ...]
    creds: tuple[CredsView, ...]
    reset: ResetView | None = None


class SessionView(Struct, frozen=True, kw_only=True):
    """The reader's own session of a box.

    ``position`` (from 1) and ``wait`` (seconds, a guess) are told while it is queued; ``expires_at`` once it runs;
    ``failure`` once it failed. ``readiness`` is ``healthy``, ``listening`` or ``started``.
    """

    id: str
    box: str
    state: str
    realm: str
    stage: Text | None
    position: int | None
    wait: int | None
    failure: Text | None
    created_at: datetime
    expires_at: datetime | None
    duration: int
    can_extend: bool
    readiness: str | None
    address: str | None
    machines: tuple[MachineView, ...]
    endpoints: tuple[EndpointView, ...]
    creds: tuple[CredsView, ...]


class RealmView(Struct, frozen=True, kw_only=True):
    """A realm in which a box can be had; ``has_gate`` says whether players need its VPN."""

    name: str
    has_gate: bool


class BoxView(Struct, frozen=True, kw_only=True):
    """A box's whole page. ``problem`` tells why no machine can be had now, and since when.

    ``reset_from`` is when the reader may ask for a reset of a shared machine again; ``None`` if they may now.
    ``over`` tells that the event has ended, for the reader.
    """

    card: BoxCard
    description: str
    authors: tuple[str, ...]
    flags: tuple[FlagCard, ...]
    duration: int
    realms: tuple[RealmView, ...]
    session: SessionView | None
    shared: tuple[MachineView, ...]
    reset_from: datetime | None
    problem: Text | None
    problem_since: datetime | None
    over: bool


class StandingRow(Struct, frozen=True, kw_only=True):
    """One line of the standings."""

    rank: int
    username: str
    account_id: int
    score: int
    found: int
    last_at: datetime


class StandingsView(Struct, frozen=True, kw_only=True):
    """The standings as one snapshot; ``version`` changes when anything in it did."""

    version: str
    track: str | None
    flags: int
    rows: tuple[StandingRow, ...]


class SolveView(Struct, frozen=True, kw_only=True):
    """A flag that somebody found, in a profile."""

    box: str
    box_slug: str
    flag: str
    points: int
    at: datetime
    first_blood: bool


class AccountCard(Struct, frozen=True, kw_only=True):
    """An account in the list of users; one that is banned is shown to organisers alone."""

    id: int
    username: str
    role: str
    score: int
    found: int
    rank: int | None
    created_at: datetime
    banned: bool


class ProfileView(Struct, frozen=True, kw_only=True):
    """An account's public page."""

    account: AccountCard
    solves: tuple[SolveView, ...]


class LoginView(Struct, frozen=True, kw_only=True):
    """One of the reader's own logins; ``current`` is the one that asks."""

    id: str
    created_at: datetime
    seen_at: datetime
    address: str
    browser: str
    current: bool


class Verdict(Struct, frozen=True, kw_only=True):
    """What became of a submitted flag: ``correct``, ``repeated`` or ``wrong``; the rest is told when it was right."""

    verdict: str
    text: Text
    box: str | None = None
    box_slug: str | None = None
    flag: str | None = None
    flag_id: int | None = None
    points: int | None = None
    first_blood: bool = False
    box_done: bool = False


class NoticeView(Struct, frozen=True, kw_only=True):
    """A notice; ``kind`` is ``info``, ``good`` or ``bad``, ``link`` a path within the platform."""

    id: int
    kind: str
    text: Text
    link: str | None
    at: datetime


class FlagForm(Struct, frozen=True, kw_only=True):
    """A flag as an organiser writes it; ``id`` is ``None`` for a new one. A dynamic flag has no value of its own."""

    id: int | None = None
    name: str = ""
    value: str = ""
    points: int = 100
    icon: str = "flag"
    mark: str | None = None
    case_insensitive: bool = False
    dynamic: bool = False


class BoxForm(Struct, frozen=True, kw_only=True):
    """A box as an organiser writes it. ``track`` is a slug; ``new_track`` names a track to be made with the box."""

    template: str = ""
    name: str = ""
    description: str = ""
    os: str = "Linux"
    difficulty: int = 1
    duration: int = 60
    track: str = ""
    new_track: str = ""
    authors: tuple[str, ...] = ()
    flags: tuple[FlagForm, ...] = ()


class TemplateView(Struct, frozen=True, kw_only=True):
    """A template that providers offer, for the registration of a box.

    ``registered`` holds the slugs of the boxes made from it, ``warnings`` what its author should mend, ``missing`` the
    fields that its labels leave open, ``form`` the form prefilled from them.
    """

    name: str
    dynamic: bool
    providers: tuple[str, ...]
    realms: tuple[str, ...]
    registered: tuple[str, ...]
    warnings: tuple[Text, ...]
    missing: tuple[str, ...]
    form: BoxForm


class RejectedView(Struct, frozen=True, kw_only=True):
    """Something on a provider that cannot be used, and why."""

    provider: str
    name: str
    reason: Text


class ProviderView(Struct, frozen=True, kw_only=True):
    """A provider as the organisers' desk shows it; ``took`` is in milliseconds."""

    name: str
    kind: str
    is_dynamic: bool
    realms: tuple[str, ...]
    templates: int
    instances: int
    seen_at: datetime | None
    took: int | None
    problem: Text | None
    problem_detail: str | None
    problem_since: datetime | None


class DisabledPlugin(Struct, frozen=True, kw_only=True):
    """A plugin that cannot be used: where it comes from, and why."""

    kind: str
    origin: str
    reason: Text


class DeskSession(Struct, frozen=True, kw_only=True):
    """Anybody's session as organisers see it."""

    id: str
    username: str | None
    box: str | None
    box_slug: str | None
    provider: str
    realm: str
    state: str
    stage: Text | None
    failure: Text | None
    failure_detail: str | None
    address: str | None
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None


class DeskSubmission(Struct, frozen=True, kw_only=True):
    """Anybody's submission as organisers see it; ``shared_by`` names whose value it was."""

    id: int
    username: str
    box: str | None
    flag: str | None
    value: str
    verdict: str
    shared_by: str | None
    at: datetime


class DeskView(Struct, frozen=True, kw_only=True):
    """The organisers' desk: first what needs attention, then what runs, then numbers."""

    providers: tuple[ProviderView, ...]
    disabled_plugins: tuple[DisabledPlugin, ...]
    rejected: tuple[RejectedView, ...]
    failed: tuple[DeskSession, ...]
    shared: tuple[DeskSubmission, ...]
    running: tuple[DeskSession, ...]
    accounts: int
    boxes: int
    solves: int
    submissions: int
