"""The platform's side of realms: the client of VPN gates, and which gate a player is bound to."""

from chatsubo.gates.binding import Access, Gates, Memory
from chatsubo.gates.client import GateClient
from chatsubo.gates.errors import GateError, NoGate, RealmFull

__all__ = ["Access", "GateClient", "GateError", "Gates", "Memory", "NoGate", "RealmFull"]
