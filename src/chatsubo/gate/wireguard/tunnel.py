"""A gate's WireGuard server: its interface, its peers, and who of them is connected."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_interface
from pathlib import Path
from time import time

from chatsubo.config import Secret
from chatsubo.gate.config import GateConfig
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.model import Addresses, Connection, Keys, Peer
from chatsubo.gate.wireguard.client import client_file, gate_addresses
from chatsubo.gate.wireguard.device import Device, DeviceState, PeerSetting, PeerState
from chatsubo.gate.wireguard.kernel import KernelDevice
from chatsubo.gate.wireguard.keys import issue_keys, public_key
from chatsubo.gate.wireguard.link import KERNEL, TUN, Interface, Link, LinkState
from chatsubo.gate.wireguard.server_key import load_server_key
from chatsubo.gate.wireguard.uapi import SOCKETS, UapiDevice
from chatsubo.gate.wireguard.userspace import (
    PROGRAM,
    TUN_DEVICE,
    start_process,
    udp_port_taken,
    wait_until_listening,
)

# Keys are exchanged every 120 s while packets flow, and are forgotten after 180 (the protocol's REJECT_AFTER_TIME).
_SESSION = 180.0
_LIMIT = 10.0
_PAUSE = 0.01


class WireGuardTunnel:
    """A :class:`chatsubo.gate.tunnel.Tunnel` of WireGuard.

    Args:
        config: The gate's file.
        private: The gate's private key.
        clock: Seconds since 1970.
        program: What makes interfaces where the kernel does not, a name or a path.
        tun: The TUN device.
        sockets: The folder with the sockets of such programs.

    Raises:
        ValueError: ``private`` is no key.
    """

    def __init__(
        self,
        config: GateConfig,
        private: Secret,
        *,
        clock: Callable[[], float] = time,
        program: str = PROGRAM,
        tun: Path = TUN_DEVICE,
        sockets: Path = SOCKETS,
    ) -> None:
        self.interface = config.interface
        self.public_key = public_key(private)
        self._config, self._private, self._clock = config, private, clock
        self._program, self._tun = program, tun
        self._link = Link(config.interface)
        self._process, self._kernel = UapiDevice(config.interface, sockets), KernelDevice(config.interface)
        self._device: Device = self._process
        self._uids: dict[str, str] = {}
        # One picture of the peers is brought about at a time.
        self._turn = asyncio.Lock()

    @classmethod
    def open(cls, config: GateConfig) -> "WireGuardTunnel":
        """Return the tunnel that a gate's file describes. Its private key is made if it has none yet.

        Raises:
            TunnelError: The private key cannot be read or made.
        """
        return cls(config, load_server_key(config))

    def issue(self, uid: str, addresses: Addresses) -> Keys:  # noqa: ARG002 - neither is part of WireGuard's keys
        """See :meth:`Tunnel.issue`."""
        return issue_keys()

    def client_file(self, peer: Peer) -> str:
        """See :meth:`Tunnel.client_file`.

        Raises:
            TunnelError: The configuration does not say where clients connect to.
        """
        return client_file(self._config, peer, self.public_key)

    async def up(self, peers: Sequence[Peer]) -> None:
        """See :meth:`Tunnel.up`."""
        async with self._turn:
            link = await self._link.state() or await self._make()
            self._device = self._kernel if link.kind == KERNEL else self._process
            state = await self._own_state(link)
            await self._configure(state)
            await self._make_so(state, peers)
            await self._link.bring_up()
            if self._device is self._process:
                await wait_until_listening(self._config.port)

    async def admit(self, peers: Sequence[Peer]) -> None:
        """See :meth:`Tunnel.admit`."""
        async with self._turn:
            await self._device.put(await asyncio.to_thread(_settings, peers))
            self._uids |= {peer.keys.public: peer.uid for peer in peers}

    async def expel(self, peers: Iterable[Peer]) -> None:
        """See :meth:`Tunnel.expel`."""
        async with self._turn:
            # Keys that were adopted may have been given to somebody else since.
            gone = [peer.keys.public for peer in peers if self._uids.get(peer.keys.public, peer.uid) == peer.uid]
            await self._device.take(gone)
            for public in gone:
                self._uids.pop(public, None)

    async def connections(self) -> Mapping[str, Connection]:
        """See :meth:`Tunnel.connections`."""
        used = await self._device.used()
        now = self._clock()
        return {self._uids[public]: _connection(peer, now) for public, peer in used.items() if public in self._uids}

    async def down(self) -> None:
        """See :meth:`Tunnel.down`. An interface that is not the gate's is left alone."""
        async with self._turn:
            link = await self._link.state()
            if link is None:
                return
            self._device = self._kernel if link.kind == KERNEL else self._process
            await self._own_state(link)
            await self._link.delete()
            if self._device is self._process:
                await self._wait_for_the_end()

    async def _make(self) -> LinkState:
        if not await self._link.create():
            if await self._process.answers():
                # That of a process which was just killed, or of a gate in another network namespace.
                await self._wait_for_the_end()
            await start_process(self.interface, program=self._program, tun=self._tun)
        made = await self._link.state()
        if made is None:
            raise TunnelError(f"the interface {self.interface} was made, and went away at once: look who removes it")
        return made

    async def _own_state(self, link: LinkState) -> DeviceState:
        """Return the state of the device.

        Raises:
            TunnelError: The interface is none of WireGuard, or has another private key than the gate.
        """
        name = self.interface
        if link.kind not in {KERNEL, TUN} or (link.kind == TUN and not await self._process.answers()):
            raise TunnelError(
                f"there is an interface {name} already, which is not WireGuard's: set another name (interface), or "
                f"remove it (ip link delete {name})"
            )
        state = await self._device.state()
        if state.private is None and not state.peers:
            return state  # made by a gate that was killed before it could say more
        if state.private is None or public_key(state.private) != self.public_key:
            raise TunnelError(
                f"there is a WireGuard interface {name} already, with another private key: set another name "
                f"(interface), set its key (private_key), or remove it (ip link delete {name})"
            )
        return state

    async def _configure(self, state: DeviceState) -> None:
        port = self._config.port
        if state.port != port and await asyncio.to_thread(udp_port_taken, port):
            raise TunnelError(f"the UDP port {port} is taken by another program: end it, or set another (port)")
        await self._device.configure(
            private=None if state.private else self._private, port=None if state.port == port else port
        )
        await self._link.arrange(self._config.mtu, _interfaces(self._config))

    async def _make_so(self, state: DeviceState, peers: Sequence[Peer]) -> None:
        """Bring the peers about by difference: whoever stays notices nothing."""
        wanted = {peer.public: peer for peer in await asyncio.to_thread(_settings, peers)}
        there = {public: peer.setting for public, peer in state.peers.items()}
        await self._device.take(there.keys() - wanted.keys())
        await self._device.put([peer for public, peer in wanted.items() if there.get(public) != peer])
        self._uids = {peer.keys.public: peer.uid for peer in peers}

    async def _wait_for_the_end(self) -> None:
        try:
            async with asyncio.timeout(_LIMIT):
                while await self._process.answers():  # noqa: ASYNC110  it is not our child
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise TunnelError(
                f"another program holds {self._process.path}, perhaps a gate in another network namespace: "
                "set another name (interface), or end it"
            ) from None


def _settings(peers: Sequence[Peer]) -> list[PeerSetting]:
    return [PeerSetting.of(peer) for peer in peers]


def _interfaces(config: GateConfig) -> list[Interface]:
    own, six = gate_addresses(config), config.network6
    found: list[Interface] = [ip_interface(f"{own.four}/{config.network4.prefixlen}")]
    if own.six is not None and six is not None:
        found.append(ip_interface(f"{own.six}/{six.prefixlen}"))
    return found


def _connection(peer: PeerState, now: float) -> Connection:
    # A handshake in the future is one from before the clock was set back.
    online = peer.handshake is not None and abs(now - peer.handshake) < _SESSION
    return Connection(
        online=online,
        handshake=peer.handshake,
        received=peer.received,
        sent=peer.sent,
        endpoint=peer.endpoint,
    )
