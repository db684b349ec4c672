"""The file that a player's WireGuard client reads."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from chatsubo.config import Host, InvalidValue
from chatsubo.gate.config import GateConfig
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
        f"Endpoint = {endpoint(config)}",
        f"AllowedIPs = {', '.join(_routes(config, peer.addresses))}",
        f"PersistentKeepalive = {_KEEPALIVE}",
        "",
    ]
    return "\n".join(lines)


def endpoint(config: GateConfig) -> str:
    """Return where clients connect to, as ``host:port``, with brackets around an IPv6 address.

    Raises:
        TunnelError: The configuration does not say it.
    """
    try:
        host = Host.from_text(config.endpoint)
    except InvalidValue as error:
        raise TunnelError(_unusable(config.endpoint)) from error
    if host.scheme is not None or not host.name:
        raise TunnelError(_unusable(config.endpoint))
    return host.authority(config.port)


def _unusable(text: str) -> str:
    return f"endpoint is {text!r} in the gate's configuration: set it to the host name or address that players reach"


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
    return [*map(str, dict.fromkeys(wanted)), *(str(_host(address)) for address in alone)]


def _host(address: IPv4Address | IPv6Address) -> IPv4Network | IPv6Network:
    return ip_network(address)
