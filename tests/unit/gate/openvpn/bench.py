"""What the tests of OpenVPN's parts share."""

import uuid
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

from chatsubo.config import Secret
from chatsubo.gate.config import GateConfig
from chatsubo.gate.model import Addresses, Peer
from chatsubo.gate.openvpn import OpenVPNTunnel

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FOUR, SIX = IPv4Address("10.66.0.1"), IPv6Address("fd00:66::1")


def gate_file(state: Path, **more: Any) -> GateConfig:
    """A gate's file for OpenVPN."""
    usual: dict[str, Any] = {
        "endpoint": "gate.example",
        "port": 1194,
        "subnet6": "fd00:66::/64",
        "routes": ("172.30.0.0/24",),
    }
    return GateConfig(realm="one", auth_token=Secret("t" * 20), kind="openvpn", state=state, **usual | more)


def new_peer(tunnel: OpenVPNTunnel, number: int) -> Peer:
    """An access at a place of the subnet."""
    uid = uuid.uuid4().hex
    addresses = Addresses(four=FOUR + number, six=SIX + number)
    return Peer(uid=uid, name="", number=number, addresses=addresses, keys=tunnel.issue(uid, addresses), made=0.0)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)
