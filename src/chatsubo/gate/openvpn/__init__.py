"""OpenVPN as the gate's VPN server."""

from chatsubo.gate.openvpn.tunnel import FOLDER, OpenVPNTunnel

__all__ = ["FOLDER", "OpenVPNTunnel"]
