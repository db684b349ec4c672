"""Which guests are classic machines, which are templates of clones, which are clones, and which are none of ours."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chatsubo.domain.labels import read_metadata
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Rejected
from chatsubo.providers.pve.config import PveConfig
from chatsubo.providers.pve.instance import PveInstance
from chatsubo.providers.pve.labels import ADDRESS, PROVIDER, REALM, SESSION, SNAPSHOT, TEMPLATE
from chatsubo.providers.pve.survey import Seen
from chatsubo.providers.pve.template import PveTemplate

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")

MISSING = N_("the label {label} is missing")
SAME = N_("another guest is {template} in the realm {realm} already: {name}")


@dataclass(frozen=True, slots=True)
class ClassicMachine:
    """A machine that all players share.

    Attributes:
        seen: The guest.
        instance: What players see of it.
        snapshot: What a reset goes back to.
    """

    seen: Seen
    instance: PveInstance
    snapshot: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the guests are.

    Attributes:
        classic: The classic machines.
        templates: What clones can be made from, by name.
        clones: The clones that this provider made, finished or not.
        rejected: What carries labels and cannot be used, and why.
    """

    classic: Sequence[ClassicMachine]
    templates: dict[str, PveTemplate]
    clones: Sequence[tuple[Seen, PveInstance]]
    rejected: Sequence[Rejected]


def catalogue(seen: Iterable[Seen], provider: str, config: PveConfig) -> Catalogue:
    """Return what the guests are.

    Args:
        seen: The guests, with their labels.
        provider: The provider's name.
        config: Its configuration.
    """
    sorter = _Sorter(provider, config)
    for one in seen:
        sorter.sort(one)
    return Catalogue(tuple(sorter.classic.values()), sorter.templates, tuple(sorter.clones), tuple(sorter.rejected))


class _Sorter:
    """Looks at one guest after the other."""

    def __init__(self, provider: str, config: PveConfig) -> None:
        self.provider = provider
        self.config = config
        self.classic: dict[tuple[str, str], ClassicMachine] = {}
        self.templates: dict[str, PveTemplate] = {}
        self.clones: list[tuple[Seen, PveInstance]] = []
        self.rejected: list[Rejected] = []

    def reject(self, seen: Seen, message: str, **params: object) -> None:
        self.rejected.append(Rejected(seen.guest.name, Text(message, params)))

    def sort(self, seen: Seen) -> None:
        if seen.reason is not None:
            self.rejected.append(Rejected(seen.guest.name, seen.reason))
        elif not seen.labels:
            return
        elif self._for_clones(seen):
            self._clone(seen)
        elif read_metadata(seen.labels).dynamic:
            self._template(seen)
        else:
            self._classic(seen)

    def _for_clones(self, seen: Seen) -> bool:
        return self.config.dynamic is not None and seen.guest.vmid in self.config.dynamic.vmids

    def _clone(self, seen: Seen) -> None:
        if not seen.labels.get(SESSION):
            self.reject(seen, N_("its id is in the range for clones: give it another one, or change dynamic.vmids"))
        elif seen.labels.get(PROVIDER) == self.provider:
            self.clones.append((seen, PveInstance.clone(seen.guest, seen.labels, read_metadata(seen.labels))))

    def _template(self, seen: Seen) -> None:
        if self.config.dynamic is None:
            self.reject(seen, N_("it is marked as dynamic, but the provider has no section dynamic"))
            return
        name = seen.labels.get(TEMPLATE, "").strip() or seen.guest.name
        made = PveTemplate(name, self.provider, seen.labels, dynamic=True, guest=seen.guest, config=seen.config)
        reason = made.unusable(addressed=any(one.addresses for one in self.config.dynamic.networks.values()))
        if reason is not None:
            self.rejected.append(Rejected(seen.guest.name, reason))
        elif name in self.templates:
            other = self.templates[name].guest.vmid
            self.reject(seen, N_("another guest is the template {name} already: {other}"), name=name, other=other)
        else:
            self.templates[name] = made

    def _classic(self, seen: Seen) -> None:
        metadata = read_metadata(seen.labels)
        realm = metadata.realm or ""
        if realm and realm not in self.config.realms:
            return
        missing = [label for label in (TEMPLATE, REALM, ADDRESS) if not seen.labels.get(label, "").strip()]
        snapshot = seen.labels.get(SNAPSHOT, "").strip()
        if missing:
            self.reject(seen, MISSING, label=", ".join(missing))
        elif not _is_place(metadata.address or ""):
            self.reject(seen, N_("the label {label} is no address"), label=ADDRESS)
        elif seen.guest.template:
            self.reject(seen, N_("it is a template, which cannot run: chatsubo.dynamic=true makes clones of it"))
        elif snapshot and snapshot != seen.config.get("parent") and snapshot not in seen.snapshots:
            self.reject(seen, N_("it has no snapshot {name}, which its label names"), name=snapshot)
        elif not (snapshot or seen.config.get("parent")):
            self.reject(seen, N_("it has no snapshot to go back to"))
        else:
            self._keep(seen, PveInstance.classic(seen.guest, metadata, realm), snapshot)

    def _keep(self, seen: Seen, instance: PveInstance, snapshot: str) -> None:
        key = (instance.realm, instance.template)
        if key in self.classic:
            other = self.classic[key].instance.name
            self.reject(seen, SAME, template=instance.template, realm=instance.realm, name=other)
            return
        self.classic[key] = ClassicMachine(seen, instance, snapshot or str(seen.config["parent"]))


def _is_place(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return bool(_HOST_NAME.fullmatch(address))
    return True
