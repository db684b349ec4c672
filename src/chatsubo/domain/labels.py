"""The grammar of ``chatsubo.*`` labels, the same for container labels and for lines in a virtual machine's notes.

Keys compare without case. Values keep their case and may hold ``=``, quotes, accents and spaces. A malformed label is
skipped and told of in :attr:`Metadata.rejected`; it never takes anything else down, and its value is never repeated,
since it may be a flag or a password.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from chatsubo.domain.text import N_, Text

PREFIX = "chatsubo."
SYSTEMS = ("Linux", "Windows", "FreeBSD", "Other")
MAX_POINTS = 1_000_000
MAX_DURATION = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag as a machine's labels tell it.

    Attributes:
        name: Lower-case, unique on its machine.
        value: What players submit; empty on a template whose flags are made at each start.
        points: What it is worth.
    """

    name: str
    value: str = field(repr=False)
    points: int


@dataclass(frozen=True, slots=True)
class Creds:
    """An initial access that players are given.

    Attributes:
        type: The service, lower-case: ``ssh``, ``smtp``, ...
        username: The account's name.
        password: Its password; may be empty.
    """

    type: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RejectedLabel:
    """A label that could not be read.

    Attributes:
        key: The label's key, as written.
        reason: What was expected. Never the value.
    """

    key: str
    reason: Text


@dataclass(frozen=True, slots=True)
class Metadata:
    """All that a template's or an instance's labels say. What is missing is ``None`` or empty.

    Attributes:
        template: The template's name.
        realm: The realm that the machine is in.
        address: Its address in that realm.
        session: The session that it runs for.
        dynamic: ``False`` marks a classic machine; ``None`` where nothing is said.
        name: The box's name, to prefill its registration; likewise the next five.
        description: Markdown.
        os: One of :data:`SYSTEMS`.
        category: The track's name.
        difficulty: 1 to 10.
        duration: Minutes that a session lasts.
        ready: The port whose answering shows that the machine is ready.
        flags: Those with both a value and points, in the order of their names.
        creds: Those with a username, in the order of their types.
        ports: Host port by container port.
        rejected: The labels that could not be read.
    """

    template: str | None = None
    realm: str | None = None
    address: str | None = None
    session: str | None = None
    dynamic: bool | None = None
    name: str | None = None
    description: str | None = None
    os: str | None = None
    category: str | None = None
    difficulty: int | None = None
    duration: int | None = None
    ready: int | None = None
    flags: tuple[Flag, ...] = ()
    creds: tuple[Creds, ...] = ()
    ports: Mapping[int, int] = field(default_factory=dict)
    rejected: tuple[RejectedLabel, ...] = ()


def parse_notes(notes: str) -> dict[str, str]:
    """Return the labels in free text: its lines ``chatsubo.KEY=VALUE``, everything around them ignored.

    A line is split at its first ``=``; spaces around the key and at the line's ends do not count. Of two lines with
    one key the first counts.

    Args:
        notes: A virtual machine's notes, with any line ends.
    """
    labels: dict[str, str] = {}
    for line in notes.splitlines():
        key, equals, value = line.strip().partition("=")
        key = key.strip()
        if equals and key.lower().startswith(PREFIX):
            labels.setdefault(key.lower(), value.strip())
    return labels


def ours(labels: Mapping[str, str]) -> dict[str, str]:
    """Return only the ``chatsubo.*`` labels, by lower-case key; of two that differ by case alone the first counts."""
    found: dict[str, str] = {}
    for key, value in labels.items():
        lowered = key.lower()
        if lowered.startswith(PREFIX):
            found.setdefault(lowered, value)
    return found


def read_metadata(labels: Mapping[str, str]) -> Metadata:
    """Return what ``labels`` say; keys that are not ours are ignored, and no label makes this raise."""
    reader = _Reader(ours(labels))
    metadata = Metadata(
        template=reader.text("template"),
        realm=reader.text("realm"),
        address=reader.text("address"),
        session=reader.text("session"),
        dynamic=reader.boolean("dynamic"),
        name=reader.text("name"),
        description=reader.text("description"),
        os=reader.system("os"),
        category=reader.text("category"),
        difficulty=reader.number("difficulty", 1, 10),
        duration=reader.number("duration", 1, MAX_DURATION),
        ready=reader.number("ready", 1, 65535),
        flags=tuple(reader.flags()),
        creds=tuple(reader.creds()),
        ports=dict(reader.ports()),
    )
    return replace(metadata, rejected=tuple(reader.rejected))


class _Reader:
    """Reads one set of labels and remembers those that were malformed."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self.labels = labels
        self.rejected: list[RejectedLabel] = []

    def reject(self, key: str, message: str, **params: object) -> None:
        self.rejected.append(RejectedLabel(key, Text(message, params)))

    def text(self, key: str) -> str | None:
        value = self.labels.get(PREFIX + key, "").strip()
        return value or None

    def boolean(self, key: str) -> bool | None:
        value = self.text(key)
        if value is None:
            return None
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
        self.reject(PREFIX + key, N_("expected true or false"))
        return None

    def system(self, key: str) -> str | None:
        value = self.text(key)
        if value is None:
            return None
        for system in SYSTEMS:
            if system.lower() == value.lower():
                return system
        self.reject(PREFIX + key, N_("expected one of {choices}"), choices=", ".join(SYSTEMS))
        return None

    def number(self, key: str, low: int, high: int) -> int | None:
        value = self.text(key)
        return None if value is None else self.whole(PREFIX + key, value, low, high)

    def whole(self, key: str, value: str, low: int, high: int) -> int | None:
        value = value.strip()
        if value.isascii() and value.isdigit() and len(value) <= 10 and low <= int(value) <= high:  # noqa: PLR2004
            return int(value)
        self.reject(key, N_("expected a whole number from {low} to {high}"), low=low, high=high)
        return None

    def pairs(self, family: str, first: str, second: str) -> Iterator[tuple[str, str | None, str | None]]:
        """Yield ``(name, first, second)`` of the labels ``chatsubo.FAMILY.NAME.FIRST`` and ``.SECOND``."""
        start = f"{PREFIX}{family}."
        names = set()
        for key in self.labels:
            if key.startswith(start):
                name, _, part = key.removeprefix(start).rpartition(".")
                if name and part in (first, second):
                    names.add(name)
                else:
                    self.reject(key, N_("expected {shape}"), shape=f"{start}NAME.{first} or {start}NAME.{second}")
        for name in sorted(names):
            yield name, self.labels.get(f"{start}{name}.{first}"), self.labels.get(f"{start}{name}.{second}")

    def flags(self) -> Iterator[Flag]:
        for name, value, points in self.pairs("flags", "value", "points"):
            key = f"{PREFIX}flags.{name}"
            if value is None or points is None:
                self.reject(key, N_("a flag needs both a value and points"))
                continue
            worth = self.whole(f"{key}.points", points, 0, MAX_POINTS)
            if worth is not None:
                yield Flag(name, value, worth)

    def creds(self) -> Iterator[Creds]:
        for kind, username, password in self.pairs("creds", "username", "password"):
            if username is None:
                self.reject(f"{PREFIX}creds.{kind}", N_("a credential needs a username"))
                continue
            yield Creds(kind, username, password or "")

    def ports(self) -> Iterator[tuple[int, int]]:
        start = f"{PREFIX}port."
        for key, value in self.labels.items():
            if key.startswith(start):
                inside = self.whole(key, key.removeprefix(start), 1, 65535)
                outside = self.whole(key, value, 1, 65535) if inside is not None else None
                if inside is not None and outside is not None:
                    yield inside, outside
