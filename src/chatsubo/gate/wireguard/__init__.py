"""The gate's WireGuard: the kernel's where it has one, else ``wireguard-go``."""

from chatsubo.gate.wireguard.adopt import read_folder
from chatsubo.gate.wireguard.tunnel import WireGuardTunnel

__all__ = ["WireGuardTunnel", "read_folder"]
