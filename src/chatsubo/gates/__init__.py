"""The platform's side of realms: the client of VPN gates, and which gate a player is bound to."""

from chatsubo.gates.answers import Connection, Health, Reach
from chatsubo.gates.binding import Access, Gates, Memory
from chatsubo.gates.client import GateClient
from chatsubo.gates.errors import GateError, NoGate, OldGate, PictureRefused, RealmFull, TokenRefused
from chatsubo.gates.naming import file_name

__all__ = [
    "Access",
    "Connection",
    "GateClient",
    "GateError",
    "Gates",
    "Health",
    "Memory",
    "NoGate",
    "OldGate",
    "PictureRefused",
    "Reach",
    "RealmFull",
    "TokenRefused",
    "file_name",
]
