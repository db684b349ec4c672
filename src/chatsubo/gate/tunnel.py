"""What a gate asks of its VPN server, be it WireGuard or OpenVPN."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from chatsubo.gate.model import Addresses, Connection, Keys, Peer


class Tunnel(Protocol):
    """A VPN server and its interface.

    Every method may be called again after it failed or was killed half way, and has a time limit of its own.
    """

    def issue(self, uid: str, addresses: Addresses) -> Keys:
        """Return new keys for a player. Only computes."""

    def client_file(self, peer: Peer) -> str:
        """Return the text of the client's configuration: the realm's routes alone go through the tunnel."""

    async def up(self, peers: Sequence[Peer]) -> None:
        """Bring the interface up with just these peers; a server that runs already is adopted, its connections stay.

        Raises:
            TunnelError: It cannot be brought up; the text says what to do.
        """

    async def admit(self, peers: Sequence[Peer]) -> None:
        """Let peers connect. Those that may already are no trouble.

        Raises:
            TunnelError: The VPN server does not answer.
        """

    async def expel(self, peers: Iterable[Peer]) -> None:
        """Let peers connect no more, and end their connections. Those that may not are no trouble.

        Raises:
            TunnelError: The VPN server does not answer.
        """

    async def connections(self) -> Mapping[str, Connection]:
        """Return the connections by :attr:`Peer.uid`, of those peers that ever were connected.

        Raises:
            TunnelError: The VPN server does not answer.
        """

    async def down(self) -> None:
        """Take the interface down and end the VPN server."""
