"""OpenVPN as the gate's tunnel."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from chatsubo.domain.clock import Clock, utc_now
from chatsubo.gate.config import GateConfig
from chatsubo.gate.errors import StateError, TunnelError
from chatsubo.gate.model import Addresses, Connection, Keys, Peer
from chatsubo.gate.openvpn.admission import Admissions, client_settings
from chatsubo.gate.openvpn.client import client_text
from chatsubo.gate.openvpn.keyring import Keyring, material_of
from chatsubo.gate.openvpn.management import Management, Session
from chatsubo.gate.openvpn.server import Server
from chatsubo.gate.openvpn.settings import Places, server_text

FOLDER = "openvpn"
"""The folder's name, below the folder with the gate's state."""


class OpenVPNTunnel:
    """OpenVPN's server, with a certificate authority of the gate's own or one that is adopted.

    A client is known to the server by its certificate's common name: :attr:`Peer.uid`, or the name that it always had
    where its certificate was adopted. Its file in ``ccd`` lets it connect, with the address that it has; its serial
    number in the list of revoked certificates keeps it out for good.

    Args:
        config: The gate's file.
        clock: The time of day.
    """

    def __init__(self, config: GateConfig, clock: Clock = utc_now) -> None:
        self._config, self._clock = config, clock
        self._places = Places(config.state / FOLDER)
        self._management = Management(self._places.management)
        self._server = Server(self._places, config.interface, config.port, self._management)
        self._admissions = Admissions(self._places.clients, self._places.drafts)
        self._opened: Keyring | None = None
        self._opening = threading.Lock()
        self._turn = asyncio.Lock()
        self._uids: dict[str, str] = {}
        self._seen: dict[str, Connection] = {}

    def issue(self, uid: str, addresses: Addresses) -> Keys:  # noqa: ARG002  a certificate holds no address
        """Return new keys for a player; the first call opens the certificate authority.

        Raises:
            StateError: The authority cannot be used; the text says what to do.
        """
        return self._keyring().issue(uid)

    def client_file(self, peer: Peer) -> str:
        """Return the text of the client's configuration: the realm's routes alone go through the tunnel.

        Raises:
            TunnelError: The configuration has no endpoint, or the gate does not have the player's private key.
            StateError: The authority cannot be used.
        """
        keyring = self._keyring()
        return client_text(self._config, keyring.authority.pem, keyring.server_name, material_of(peer.keys))

    def adopted(self) -> Mapping[str, Keys]:
        """Return the clients that the adopted authority knows, by their common names; they keep their certificates.

        Raises:
            StateError: The authority cannot be used.
        """
        return self._keyring().adopted()

    def not_adopted(self) -> Sequence[tuple[str, str]]:
        """Return the adopted authority's certificates that are of no use here: the name of the file, and the reason.

        Raises:
            StateError: The authority cannot be used.
        """
        existing = self._keyring().existing
        return existing.rejected if existing else ()

    async def up(self, peers: Sequence[Peer]) -> None:
        """Bring the server up with just these peers; one that runs already is adopted, its connections stay.

        Raises:
            TunnelError: It cannot be brought up; the text says what to do.
            StateError: What it needs is damaged, or the authority cannot be used.
        """
        async with self._change():
            uids, text = await asyncio.to_thread(self._held, peers)
            self._uids = uids
            self._seen = {uid: one for uid, one in self._seen.items() if uid in set(uids.values())}
            if not await self._server.ensure(text):
                await self._management.end(uids, others=True)

    async def admit(self, peers: Sequence[Peer]) -> None:
        """Let peers connect. Those that may already are no trouble; the server sees it when they come.

        Raises:
            TunnelError: A file cannot be written.
        """
        async with self._change():
            self._uids |= await asyncio.to_thread(self._admitted, peers)

    async def expel(self, peers: Iterable[Peer]) -> None:
        """Let peers connect no more, and end their connections. Those that may not are no trouble.

        Raises:
            TunnelError: A file cannot be written, or the server does not answer.
        """
        async with self._change():
            names = await asyncio.to_thread(self._expelled, list(peers))
            for name in names:
                self._seen.pop(self._uids.pop(name, ""), None)
            if self._server.pid is not None:
                await self._management.end(names)

    async def connections(self) -> Mapping[str, Connection]:
        """Return the connections by :attr:`Peer.uid`, of those peers that were connected since this object was made.

        Raises:
            TunnelError: The server does not answer.
        """
        if fault := self._server.fault:
            raise TunnelError(fault)
        found = {self._uids[one.name]: one for one in await self._management.sessions() if one.name in self._uids}
        known = set(self._uids.values())
        gone = {uid: _gone(one) for uid, one in self._seen.items() if uid in known}
        self._seen = gone | {uid: _connection(one) for uid, one in found.items()}
        return self._seen

    async def down(self) -> None:
        """Take the interface down and end the server.

        Raises:
            TunnelError: It cannot be ended.
        """
        async with self._change():
            await self._server.stop()

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[None]:
        async with self._turn:
            try:
                yield
            except OSError as error:
                raise TunnelError(
                    f"{error.filename or self._places.folder}: {error.strerror}; free some space, or mend its rights"
                ) from error

    def _keyring(self) -> Keyring:
        with self._opening:
            if self._opened is None:
                try:
                    self._opened = Keyring(self._config, self._places.folder, self._clock)
                except OSError as error:
                    raise StateError(
                        f"{error.filename}: {error.strerror}; free some space, or mend its rights"
                    ) from error
            return self._opened

    def _held(self, peers: Sequence[Peer]) -> tuple[dict[str, str], str]:
        """Let just these connect. Return their uids by their common names, and the server's configuration."""
        keyring = self._keyring()
        uids, wanted, serials = self._read(peers)
        gone = self._admissions.hold(wanted)
        keyring.revocations.change(revoked=gone, valid=serials)
        return uids, server_text(self._config, self._places, keyring)

    def _admitted(self, peers: Sequence[Peer]) -> dict[str, str]:
        uids, wanted, serials = self._read(peers)
        self._keyring().revocations.change(valid=serials)
        self._admissions.add(wanted)
        return uids

    def _expelled(self, peers: Sequence[Peer]) -> list[str]:
        uids, _, serials = self._read(peers)
        self._admissions.remove(uids)
        self._keyring().revocations.change(revoked=serials)
        return list(uids)

    def _read(self, peers: Sequence[Peer]) -> tuple[dict[str, str], dict[str, str], list[int]]:
        """Return the peers' uids and files by their common names, and their certificates' serial numbers."""
        uids: dict[str, str] = {}
        wanted: dict[str, str] = {}
        four, six = self._config.network4, self._config.network6
        for one in peers:
            name = material_of(one.keys).name
            uids[name] = one.uid
            wanted[name] = client_settings(one.keys.public, one.addresses, four, six)
        return uids, wanted, [int(one.keys.public, 16) for one in peers]


def _connection(session: Session) -> Connection:
    return Connection(
        online=True,
        handshake=float(session.since),
        received=session.received,
        sent=session.sent,
        endpoint=session.endpoint,
    )


def _gone(last: Connection) -> Connection:
    return Connection(
        online=False, handshake=last.handshake, received=last.received, sent=last.sent, endpoint=last.endpoint
    )
