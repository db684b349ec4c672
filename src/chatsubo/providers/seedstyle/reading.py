"""What such a plugin returns, read: dictionaries and objects become our templates and instances."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from chatsubo.domain.labels import MAX_POINTS, Creds, Flag, read_metadata
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import BaseInstance, BaseTemplate, Endpoint, Listing, Rejected
from chatsubo.providers.exc import ProviderError

Item = TypeVar("Item")
Told = Mapping[str, Any]
Report = Callable[[Text], None]

_NAMES = ("id", "name", "realm", "template", "address", "flags", "creds", "labels", "dynamic")
_MORE = ("session", "session_id", "running", "endpoints")
_MOST_PORT = 65535
MOST = 100_000
"""How many items are read of one listing: one that never ends would fill the memory long after it was given up."""


class Unreadable(Exception):
    """Something that a plugin returned cannot be used.

    Attributes:
        reason: Why; never a value.
    """

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


def read_all(answer: Any, read: Callable[[Told, Report], Item | None]) -> Listing[Item]:
    """Return what a plugin listed. Called in the plugin's thread: reading may call its code.

    Args:
        answer: What it returned.
        read: Reads one item, and reports what in it cannot be used; ``None`` leaves it out.

    Raises:
        ProviderError: If it is no list, or has no end; a text is taken for a reason.
    """
    if isinstance(answer, str):
        raise ProviderError(answer)
    if isinstance(answer, Mapping) or not isinstance(answer, Iterable):
        raise ProviderError(f"it returned {_what(answer)} instead of a list")
    items: list[Item] = []
    rejected: list[Rejected] = []
    for number, one in enumerate(answer):
        if number == MOST:
            raise ProviderError(f"it lists more than {MOST}")
        told: Told = {}
        reasons: list[Text] = []
        try:
            told = _told(one)
            item = read(told, reasons.append)
        except Unreadable as error:
            reasons.append(error.reason)
        except Exception as error:  # noqa: BLE001  reading an object may run the plugin's code
            reasons.append(Text(N_("reading it raised {error}"), {"error": type(error).__name__}))
        else:
            items += [] if item is None else [item]
        name = _text(told.get("name")) or _text(told.get("id")) or "?"
        rejected += [Rejected(name, reason) for reason in reasons]
    return Listing(items, rejected)


def read_template(provider: str) -> Callable[[Told, Report], BaseTemplate]:
    """Return what reads the templates of a provider."""

    def read(told: Told, _report: Report) -> BaseTemplate:
        name = _text(told.get("name"))
        if not name:
            raise _lacking("name")
        warnings: list[Text] = []
        template = BaseTemplate(name, provider, _labels(told.get("labels")), _true(told.get("dynamic")))
        template.flags = _flags(told.get("flags"), warnings.append) or template.flags
        template.creds = _creds(told.get("creds"), warnings.append) or template.creds
        template.warnings = tuple(warnings)
        return template

    return read


def read_instance(realms: Iterable[str]) -> Callable[[Told, Report], BaseInstance | None]:
    """Return what reads the instances in ``realms``; those elsewhere are another provider's."""
    served = frozenset(realms)

    def read(told: Told, report: Report) -> BaseInstance | None:
        session = _session(told)
        needed = ("realm", "template") if session else ("realm", "template", "address")
        missing = [name for name in needed if not _text(told.get(name))]
        if missing:
            raise _lacking(*missing)
        realm, address = _text(told["realm"]), _text(told.get("address"))
        if realm not in served:
            return None
        identity = _text(told.get("id")) or _text(told.get("name"))
        if not identity:
            raise _lacking("id")
        return BaseInstance(
            identity,
            _text(told.get("name")) or identity,
            realm,
            _text(told["template"]),
            address or None,
            _flags(told.get("flags"), report),
            _creds(told.get("creds"), report),
            session=session or None,
            running=_true(told.get("running", True)),
            endpoints=tuple(_endpoints(told.get("endpoints"))),
        )

    return read


def failure(answer: Any) -> str | None:
    """Return why a call did not work, by what it returned: ``False`` or a text; ``None`` if it did."""
    if isinstance(answer, str) and answer:
        return answer
    return "it returned False" if answer is False else None


def _told(item: Any) -> Told:
    """Return what an item says of itself."""
    if isinstance(item, Mapping):
        return item
    to_json = getattr(item, "to_json", None)
    if to_json is None:
        raise Unreadable(Text(N_("{what} was listed instead of a dictionary"), {"what": _what(item)}))
    told = {name: getattr(item, name) for name in (*_NAMES, *_MORE) if hasattr(item, name)}
    try:
        said = to_json()
    except Exception as error:  # noqa: BLE001  a stranger's code
        if told.get("name"):
            return told
        raise Unreadable(Text(N_("its to_json raised {error}"), {"error": type(error).__name__})) from None
    return {**told, **said} if isinstance(said, Mapping) else told


def _session(told: Told) -> str:
    session = told.get("session") or told.get("session_id")
    session = getattr(session, "id", session)
    return _text(session) or read_metadata(_labels(told.get("labels"))).session or ""


def _labels(labels: Any) -> dict[str, str]:
    """Return labels that are a mapping, or pairs; whatever else was meant says nothing."""
    try:
        pairs = dict(labels or ())
    except (TypeError, ValueError):
        return {}
    return {str(key): "" if value is None else str(value) for key, value in pairs.items()}


def _flags(told: Any, report: Report) -> tuple[Flag, ...]:
    flags = []
    for one in _each(told):
        name, value, points = (_field(one, name) for name in ("name", "value", "points"))
        worth = _text(points)
        if name and value is not None and worth.isdecimal() and int(worth) <= MAX_POINTS:
            flags.append(Flag(_text(name), str(value), int(worth)))
        else:
            report(Text(N_("a flag needs a name, a value and points")))
    return tuple(flags)


def _creds(told: Any, report: Report) -> tuple[Creds, ...]:
    creds = []
    for one in _each(told):
        kind, username, password = (_field(one, name) for name in ("type", "username", "password"))
        if kind and username is not None:
            creds.append(Creds(_text(kind), str(username), "" if password is None else str(password)))
        else:
            report(Text(N_("a credential needs a type and a username")))
    return tuple(creds)


def _endpoints(told: Any) -> Iterable[Endpoint]:
    for one in _each(told):
        host, port = _text(_field(one, "host")), _text(_field(one, "port"))
        if host and port.isdecimal() and 0 < int(port) <= _MOST_PORT:
            yield Endpoint(_text(_field(one, "name")) or "tcp", host, int(port))


def _each(told: Any) -> Iterable[Any]:
    return told if isinstance(told, list | tuple | set | frozenset) else ()


def _field(one: Any, name: str) -> Any:
    return one.get(name) if isinstance(one, Mapping) else getattr(one, name, None)


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _true(value: Any) -> bool:
    return value.strip().lower() not in {"", "0", "false", "no"} if isinstance(value, str) else bool(value)


def _what(value: Any) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _lacking(*names: str) -> Unreadable:
    return Unreadable(Text(N_("it does not say its {names}"), {"names": ", ".join(names)}))
