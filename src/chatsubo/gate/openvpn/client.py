"""The file that a player gives to OpenVPN or OpenVPN Connect."""

from ipaddress import ip_network

from chatsubo.gate.config import GateConfig
from chatsubo.gate.endpoint import endpoint
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.openvpn.keyring import Material

CIPHERS = "AES-256-GCM:CHACHA20-POLY1305"


def client_text(config: GateConfig, authority: str, server: str, material: Material) -> str:
    """Return the file. It takes no route from the server: the realm's networks alone go through the tunnel.

    Args:
        config: The gate's file.
        authority: The authority's certificate, PEM.
        server: The common name of the server's certificate.
        material: What the player proves to be itself with.

    Raises:
        TunnelError: The configuration has no endpoint of use, or the gate does not have the player's private key.
    """
    if material.key is None:
        raise TunnelError(
            f"the private key of {material.name} is not on the gate, only its certificate: give the player a new access"
        )
    lines = [
        "client",
        "dev tun",
        *_remote(config),
        "nobind",
        "persist-tun",
        "connect-retry 2 30",
        "explicit-exit-notify 1",
        "remote-cert-tls server",
        f"verify-x509-name {server} name",
        "tls-version-min 1.2",
        f"data-ciphers {CIPHERS}",
        "auth-nocache",
        f"tun-mtu {config.mtu}",
        "route-nopull",
        f"route-gateway {config.network4[1]}",
        *routes(config.routes),
        "verb 3",
    ]
    inline = {"ca": authority, "cert": material.certificate, "key": material.key, "tls-crypt-v2": material.tls_crypt}
    return "\n".join([*lines, *(f"<{tag}>\n{text.strip()}\n</{tag}>" for tag, text in inline.items())]) + "\n"


def routes(networks: tuple[str, ...]) -> list[str]:
    """Return the directives that send networks through the tunnel."""
    found = [ip_network(one) for one in networks]
    four = [f"route {one.network_address} {one.netmask}" for one in found if one.version == 4]  # noqa: PLR2004
    return four + [f"route-ipv6 {one}" for one in found if one.version == 6]  # noqa: PLR2004


def _remote(config: GateConfig) -> tuple[str, str]:
    try:
        there = endpoint(config.endpoint, config.port)
    except ValueError as error:
        raise TunnelError(f"set `endpoint` to what players' clients connect to: {error}") from error
    return f"proto {'udp6' if there.is_six else 'udp'}", f"remote {there.host} {there.port}"
