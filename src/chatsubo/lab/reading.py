"""What providers return, turned into what is kept."""

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from chatsubo.domain.labels import Creds, Flag, RejectedLabel
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import BaseInstance, BaseTemplate, Rejected
from chatsubo.providers.exc import ProviderError
from chatsubo.store.listings import ListedInstance, ListedTemplate, RejectedEntry
from chatsubo.store.machines import Endpoint, Machine
from chatsubo.store.session_changes import Outcome

UNFIT = N_("what its plugin says of it cannot be used: {reason}")

Item = TypeVar("Item")
Kept = TypeVar("Kept", bound=msgspec.Struct)


def read_each(items: Iterable[Item], read: Callable[[Item], Kept]) -> tuple[tuple[Kept, ...], tuple[Rejected, ...]]:
    """Return what a provider listed as it is kept, and what of it cannot be kept, with the reason.

    Args:
        items: What it listed.
        read: Reads one of them.

    Raises:
        ProviderError: If it is the machine of a session that cannot be kept: left out, it would count as gone.
    """
    kept: list[Kept] = []
    rejected: list[Rejected] = []
    for one in items:
        try:
            kept.append(_checked(read(one)))
        except Exception as error:  # noqa: BLE001  a stranger's plugin may list anything
            if getattr(one, "session", None) is not None:
                what = f"what the plugin says of a session's machine cannot be used: {_why(error)}"
                raise ProviderError(what) from None
            name = getattr(one, "name", None)
            rejected.append(Rejected(name if isinstance(name, str) else "?", Text(UNFIT, {"reason": _why(error)})))
    return tuple(kept), tuple(rejected)


def _checked(kept: Kept) -> Kept:
    """Return what is to be kept, if it can be read again: a port that is a text would stop whoever reads it.

    Raises:
        msgspec.ValidationError: If it cannot.
    """
    msgspec.convert(msgspec.to_builtins(kept), type(kept))
    return kept


def _why(error: Exception) -> str:
    """Return which value has a wrong type, or what kind of error that led to; never a value."""
    return str(error) if isinstance(error, msgspec.ValidationError) else type(error).__name__


def plain(text: str) -> str:
    """Return ``text`` without what databases refuse: NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _maybe(text: str | None) -> str | None:
    return None if text is None else plain(text)


def read_text(text: Text) -> Text:
    """Return ``text``, fit to be kept: what is no plain value in it is told in words."""
    return Text(plain(text.message), {name: _value(value) for name, value in text.values})


def _value(value: Any) -> Any:
    if isinstance(value, Text):
        return read_text(value)
    is_number = isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
    return value if value is None or is_number else plain(str(value))


def read_flags(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    """Return ``flags``, fit to be kept."""
    return tuple(Flag(plain(one.name), plain(one.value), one.points) for one in flags)


def read_creds(creds: Iterable[Creds]) -> tuple[Creds, ...]:
    """Return ``creds``, fit to be kept."""
    return tuple(Creds(plain(one.type), plain(one.username), plain(one.password)) for one in creds)


def read_endpoints(instance: BaseInstance) -> tuple[Endpoint, ...]:
    """Return the services of ``instance`` that players can connect to."""
    return tuple(Endpoint(plain(one.name), plain(one.host), one.port) for one in instance.endpoints)


def read_machines(instance: BaseInstance) -> tuple[Machine, ...]:
    """Return all machines of ``instance``."""
    return tuple(Machine(plain(one.name), _maybe(one.address)) for one in instance.machines)


def read_outcome(instance: BaseInstance) -> Outcome:
    """Return what a start or a reset gave.

    Raises:
        ProviderError: If it cannot be kept.
    """
    try:
        return _checked(
            Outcome(
                address=_maybe(instance.address),
                readiness=instance.readiness.value,
                endpoints=read_endpoints(instance),
                machines=read_machines(instance),
                creds=read_creds(instance.creds),
                flags=read_flags(instance.flags),
            )
        )
    except (AttributeError, TypeError, msgspec.ValidationError) as error:
        raise ProviderError(f"what the plugin returned cannot be used: {_why(error)}") from None


def read_instance(instance: BaseInstance) -> ListedInstance:
    """Return an instance as it is kept in a listing; the secrets of sessions are left out."""
    classic = instance.session is None
    return ListedInstance(
        id=plain(str(instance.id)),
        name=plain(instance.name),
        realm=plain(instance.realm),
        template=plain(instance.template),
        address=_maybe(instance.address),
        session=_maybe(instance.session),
        generation=instance.generation,
        running=instance.running,
        readiness=instance.readiness.value,
        endpoints=read_endpoints(instance),
        machines=read_machines(instance),
        flags=read_flags(instance.flags) if classic else (),
        creds=read_creds(instance.creds) if classic else (),
        unreset=tuple(plain(one) for one in instance.unreset),
    )


def read_template(template: BaseTemplate) -> ListedTemplate:
    """Return a template as it is kept in a listing."""
    said = template.metadata
    return ListedTemplate(
        name=plain(template.name),
        dynamic=template.dynamic,
        title=_maybe(said.name),
        description=_maybe(said.description),
        os=said.os,
        category=_maybe(said.category),
        difficulty=said.difficulty,
        duration=said.duration,
        flags=read_flags(template.flags),
        creds=read_creds(template.creds),
        warnings=(*map(read_text, template.warnings), *(_malformed(label) for label in said.rejected)),
    )


def _malformed(label: RejectedLabel) -> Text:
    return Text(N_("The label {key} is not used: {reason}."), {"key": plain(label.key), "reason": label.reason})


def read_rejected(rejected: Rejected) -> RejectedEntry:
    """Return something rejected as it is kept in a listing."""
    return RejectedEntry(plain(rejected.name), read_text(rejected.reason))
