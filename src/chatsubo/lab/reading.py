"""What providers return, turned into what is kept."""

import math
from collections.abc import Iterable
from typing import Any

from chatsubo.domain.labels import Creds, Flag, RejectedLabel
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import BaseInstance, BaseTemplate, Rejected
from chatsubo.store.listings import ListedInstance, ListedTemplate, RejectedEntry
from chatsubo.store.machines import Endpoint, Machine
from chatsubo.store.session_changes import Outcome


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
    """Return what a start or a reset gave."""
    return Outcome(
        address=_maybe(instance.address),
        readiness=instance.readiness.value,
        endpoints=read_endpoints(instance),
        machines=read_machines(instance),
        creds=read_creds(instance.creds),
        flags=read_flags(instance.flags),
    )


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
