"""Which WireGuard is used, and what it is told, as seen on devices in memory."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from chatsubo.config import Secret
from chatsubo.gate.config import GateConfig
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.model import Addresses, Peer
from chatsubo.gate.wireguard import WireGuardTunnel, kernel
from chatsubo.gate.wireguard.device import DeviceState, PeerSetting, PeerState
from chatsubo.gate.wireguard.kernel import KernelDevice
from chatsubo.gate.wireguard.keys import issue_keys, new_private_key
from chatsubo.gate.wireguard.link import KERNEL, LinkState

PRIVATE = new_private_key()
NOW = 1_700_000_000.0


class MemoryLink:
    """An interface of a kernel that has WireGuard; it is made by ``create``."""

    def __init__(self) -> None:
        self.found: LinkState | None = None
        self.steps: list[str] = []

    async def state(self) -> LinkState | None:
        return self.found

    async def create(self) -> bool:
        self.found = LinkState(index=1, kind=KERNEL, up=False)
        return True

    async def arrange(self, mtu: int, addresses: Sequence[Any]) -> None:
        self.steps.append(f"{mtu} {' '.join(map(str, addresses))}")

    async def bring_up(self) -> None:
        self.steps.append("up")

    async def delete(self) -> None:
        self.found = None


class MemoryDevice:
    """A device that remembers what it is told."""

    def __init__(self, steps: list[str]) -> None:
        self.private: Secret | None = None
        self.port = 0
        self.peers: dict[str, PeerSetting] = {}
        self.seen: Mapping[str, float] = {}
        self._steps = steps

    async def state(self) -> DeviceState:
        peers = {
            public: PeerState(setting=setting, handshake=self.seen.get(public), received=1, sent=2, endpoint="a:1")
            for public, setting in self.peers.items()
        }
        return DeviceState(private=self.private, port=self.port, peers=peers)

    async def used(self) -> Mapping[str, PeerState]:
        return {public: peer for public, peer in (await self.state()).peers.items() if peer.handshake is not None}

    async def configure(self, *, private: Secret | None = None, port: int | None = None) -> None:
        self.private, self.port = private or self.private, port or self.port

    async def put(self, peers: Sequence[PeerSetting]) -> None:
        self._steps.append(f"put {len(peers)}")
        self.peers |= {peer.public: peer for peer in peers}

    async def take(self, publics: Iterable[str]) -> None:
        gone = list(publics)
        self._steps.append(f"take {len(gone)}")
        for public in gone:
            self.peers.pop(public, None)


class Kernel:
    """A tunnel over a kernel that has WireGuard, in memory; a process cannot be started."""

    def __init__(self) -> None:
        self.config = GateConfig(realm="realm", auth_token=Secret("token"), interface="chatsubo-none")
        self.link = MemoryLink()
        self.device = MemoryDevice(self.link.steps)

    def tunnel(self, private: Secret = PRIVATE) -> WireGuardTunnel:
        made = WireGuardTunnel(self.config, private, clock=lambda: NOW, program="none", sockets=Path("/none"))
        made._link, made._kernel = self.link, self.device  # type: ignore[assignment]
        return made


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    monkeypatch.setattr("chatsubo.gate.wireguard.tunnel.udp_port_taken", lambda _port: False)
    return Kernel()


def peer(number: int) -> Peer:
    address = Addresses(four=IPv4Address("10.66.0.1") + number)
    return Peer(uid=f"{number:032x}", name=str(number), number=number, addresses=address, keys=issue_keys(), made=0)


async def test_where_the_kernel_has_wireguard_no_process_is_needed(world: Kernel) -> None:
    alice = peer(1)
    await world.tunnel().up([alice])
    assert world.device.private == PRIVATE
    assert world.device.port == 51820
    assert world.device.peers == {alice.keys.public: PeerSetting.of(alice)}
    assert world.link.steps == ["1420 10.66.0.1/16", "take 0", "put 1", "up"]


async def test_those_who_lost_their_access_go_before_others_get_their_addresses(world: Kernel) -> None:
    stays, goes, comes = peer(1), peer(2), peer(3)
    await world.tunnel().up([stays, goes])
    world.link.steps.clear()
    await world.tunnel().up([stays, comes])
    assert set(world.device.peers) == {stays.keys.public, comes.keys.public}
    assert world.link.steps[1:] == ["take 1", "put 1", "up"]


async def test_a_device_with_another_key_is_left_alone(world: Kernel) -> None:
    alice = peer(1)
    await world.tunnel().up([alice])
    world.link.steps.clear()
    for work in (world.tunnel(new_private_key()).up([]), world.tunnel(new_private_key()).down()):
        with pytest.raises(TunnelError, match="another private key"):
            await work
    assert world.link.steps == []
    assert world.link.found is not None
    assert world.device.private == PRIVATE


async def test_a_device_with_peers_and_without_a_key_is_not_the_gates(world: Kernel) -> None:
    await world.tunnel().up([peer(1)])
    world.device.private = None
    with pytest.raises(TunnelError, match="another private key"):
        await world.tunnel().up([])


async def test_who_is_connected_is_who_exchanged_keys_within_three_minutes(world: Kernel) -> None:
    now, late, never, ahead, other = (peer(number) for number in range(1, 6))
    tunnel = world.tunnel()
    await tunnel.up([now, late, never, ahead])
    await world.device.put([PeerSetting.of(other)])
    world.device.seen = {
        now.keys.public: NOW - 179,
        late.keys.public: NOW - 180,
        ahead.keys.public: NOW + 3600,
        other.keys.public: NOW,
    }
    found = await tunnel.connections()
    # The clock was set back an hour: a handshake ahead of it is an old one.
    assert {uid: one.online for uid, one in found.items()} == {now.uid: True, late.uid: False, ahead.uid: False}
    assert found[now.uid].handshake == NOW - 179
    assert (found[now.uid].received, found[now.uid].sent, found[now.uid].endpoint) == (1, 2, "a:1")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(98, "Address already in use"), "UDP port of the gate is taken"),
        (OSError(1, "Operation not permitted"), "WireGuard refused: Operation not permitted"),
        (TimeoutError(), "did not answer within"),
        (ValueError("an attribute of netlink was cut short"), "cut short"),
    ],
)
async def test_what_the_kernel_refuses_is_told(monkeypatch: pytest.MonkeyPatch, error: Exception, message: str) -> None:
    def refuse(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(kernel, "GenericNetlink", refuse)
    with pytest.raises(TunnelError, match=message):
        await KernelDevice("wg0").state()
