"""Machines that exist on a provider."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chatsubo.domain.labels import Creds, Flag


class Readiness(StrEnum):
    """How it is known that an instance is ready."""

    HEALTHY = "healthy"
    """Its own health check says so."""
    LISTENING = "listening"
    """A connection to its port was taken."""
    STARTED = "started"
    """It was started; whether its services answer could not be seen from here."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service that players can connect to.

    Attributes:
        name: ``ssh``, ``http``, or ``tcp`` where nothing better is known.
        host: An address or a name, as players see it.
        port: The port there.
    """

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Machine:
    """One of an instance's machines.

    Attributes:
        name: What it is called among the others.
        address: Its address in the realm, or ``None`` while unknown.
    """

    name: str
    address: str | None


class BaseInstance:
    """A machine, or a group of them, that exists on a provider.

    Attributes:
        id: What the hypervisor calls it.
        name: A name for people.
        realm: The realm that it is in.
        template: The name of the template it comes from.
        address: Its (first) address, or ``None`` while unknown.
        flags: The flags its labels tell, with the values of this very instance.
        creds: The initial accesses its labels tell, likewise.
        session: The id of the session that it runs for; ``None`` for a classic machine.
        generation: The generation of the order that it was made for; 0 for a classic machine.
        running: Whether it runs now.
        readiness: How it is known to be ready.
        endpoints: The services that players can connect to; shown beside the address.
        machines: All of its machines; mostly the one.
        unreset: What a reset does not bring back (named volumes), in words for organisers.
    """

    def __init__(  # noqa: PLR0917  the founding document's signature
        self,
        id: str | int,  # noqa: A002  the founding document's signature
        name: str,
        realm: str,
        template: str,
        address: str | None,
        flags: Sequence[Flag] | None = None,
        creds: Sequence[Creds] | None = None,
        *,
        session: str | None = None,
        generation: int = 0,
        running: bool = True,
        readiness: Readiness = Readiness.STARTED,
        endpoints: Sequence[Endpoint] = (),
        machines: Sequence[Machine] = (),
        unreset: Sequence[str] = (),
    ) -> None:
        self.id = id
        self.name = name
        self.realm = realm
        self.template = template
        self.address = address
        self.flags = tuple(flags or ())
        self.creds = tuple(creds or ())
        self.session = session
        self.generation = generation
        self.running = running
        self.readiness = readiness
        self.endpoints = tuple(endpoints)
        self.machines = tuple(machines) or (Machine(name, address),)
        self.unreset = tuple(unreset)

    def __repr__(self) -> str:
        """Return what identifies it; no flag and no password."""
        return f"<{type(self).__name__} {self.id!r} {self.name!r} realm={self.realm!r} address={self.address!r}>"

    def to_json(self) -> dict[str, Any]:
        """Return the instance as plain values; flags and passwords are in it."""
        return self._to_json()

    def _to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "realm": self.realm,
            "template": self.template,
            "address": self.address,
            "flags": [{"name": f.name, "value": f.value, "points": f.points} for f in self.flags],
            "creds": [{"type": c.type, "username": c.username, "password": c.password} for c in self.creds],
        }
