"""What sessions and listings keep about machines."""

from msgspec import Struct


class Endpoint(Struct, frozen=True):
    """A service that players can connect to.

    Attributes:
        name: ``ssh``, ``http``, or ``tcp`` where nothing better is known.
        host: An address or a name, as players see it.
        port: The port there.
    """

    name: str
    host: str
    port: int


class Machine(Struct, frozen=True):
    """One of an instance's machines.

    Attributes:
        name: What it is called among the others.
        address: Its address in the realm, or ``None`` while unknown.
    """

    name: str
    address: str | None
