"""The file that a player's WireGuard client reads."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network

from chatsubo.gate.config import GateConfig
from chatsubo.gate.endpoint import endpoint
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.model import Addresses, Peer
from chatsubo.gate.wireguard.keys import Material

_USUAL_MTU = 1420
_KEEPALIVE = 25
"""Seconds: home routers forget a UDP flow after 30 at the earliest."""


def gate_addresses(config: GateConfig) -> Addresses:
    """Return the gate's own addresses in the tunnel: the first of each subnet."""
    six = config.network6
    return Addresses(four=config.network4[1], six=six[1] if six else None)


def client_file(config: GateConfig, peer: Peer, server_public: str) -> str:
    """Return a client's file, in the format of ``wg-quick``; that of an adopted peer is returned as it was found.

    Args:
        config: The gate's file.
        peer: The player's access.
        server_public: The gate's public key.

    Raises:
        TunnelError: The configuration does not say where clients connect to.
    """
    material = Material.of(peer.keys)
    if material.text is not None:
        return material.text.reveal()
    assert material.private is not None
    lines = ["[Interface]", f"PrivateKey = {material.private.reveal()}"]
    lines.append(f"Address = {', '.join(_own(peer.addresses))}")
    if config.mtu != _USUAL_MTU:
        lines.append(f"MTU = {config.mtu}")
    lines += ["", "[Peer]", f"PublicKey = {server_public}"]
    if material.preshared is not None:
        lines.append(f"PresharedKey = {material.preshared.reveal()}")
    lines += [
        f"Endpoint = {_endpoint(config)}",
        f"AllowedIPs = {', '.join(_routes(config, peer.addresses))}",
        f"PersistentKeepalive = {_KEEPALIVE}",
        "",
    ]
    return "\n".join(lines)


def _endpoint(config: GateConfig) -> str:
    try:
        found = endpoint(config.endpoint, config.port)
    except ValueError:
        raise TunnelError(
            f"endpoint is {config.endpoint!r} in the gate's configuration: set it to the host name or the address that "
            "players reach"
        ) from None
    return f"[{found.host}]:{found.port}" if found.is_six else f"{found.host}:{found.port}"


def _own(addresses: Addresses) -> Iterable[str]:
    yield f"{addresses.four}/32"
    if addresses.six is not None:
        yield f"{addresses.six}/128"


def _routes(config: GateConfig, addresses: Addresses) -> Iterable[str]:
    """Return what goes through the tunnel: the realm's networks, and the gate itself, so that a ping tells something.

    A client without an IPv6 address in the tunnel gets no IPv6 route: it would send packets that nobody answers.
    """
    routes = [ip_network(route) for route in config.routes]
    wanted = [route for route in routes if addresses.six is not None or isinstance(route, IPv4Network)]
    gate = gate_addresses(config)
    own: list[IPv4Address | IPv6Address] = [gate.four]
    if addresses.six is not None and gate.six is not None:
        own.append(gate.six)
    alone = [address for address in own if not any(address in route for route in wanted)]
    return [str(network) for network in dict.fromkeys([*wanted, *map(ip_network, alone)])]
