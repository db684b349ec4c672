"""The gate's own file."""

import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from chatsubo.config import ExistingFile, InvalidValue, Name, Port, Secret, checked, load_model, network
from chatsubo.domain.text import N_, Text
from chatsubo.gate.endpoint import endpoint as parse_endpoint

_INTERFACE = "chatsubo0"
_LONGEST_INTERFACE = 15
_LEAST_ADDRESSES = 4
"""That a subnet needs for one player: the network's own, the gate's, the player's, and in IPv4 the last."""
_OPENVPN_BITS = {"subnet": (16, 29), "subnet6": (64, 124)}
"""The sizes of subnets that OpenVPN takes."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def interface_name(text: str) -> str:
    """Return ``text``, if the kernel takes it as the name of a network interface.

    Raises:
        InvalidValue: It does not.
    """
    plain = text.replace("-", "").replace("_", "").replace(".", "")
    if not 1 <= len(text) <= _LONGEST_INTERFACE or not plain.isalnum() or not text.isascii():
        raise InvalidValue(Text(N_("the name of an interface: 1 to 15 letters, digits, dashes, dots, underscores")))
    return text


def client_endpoint(text: str) -> str:
    """Return ``text``, if it is what a client can connect to.

    Raises:
        InvalidValue: It is not.
    """
    try:
        parse_endpoint(text.strip(), port=1)
    except ValueError:
        expected = Text(N_("a host name or an address, with or without a port, as in vpn.example:51820"))
        raise InvalidValue(expected) from None
    return text.strip()


def listening_host(text: str) -> str:
    """Return ``text``, if it is an address or a host name.

    Raises:
        InvalidValue: It is neither.
    """
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        if not _HOST.fullmatch(text.strip()):
            raise InvalidValue(Text(N_("an address of this machine, as in 127.0.0.1 or ::1"))) from None
        return text.strip()


def subnet_of_four(text: str) -> str:
    """Return ``text`` in normal form, if it is an IPv4 network with room for a player.

    Raises:
        InvalidValue: It is not.
    """
    return _subnet(text, IPv4Network, Text(N_("an IPv4 network of /30 or larger, as in 10.66.0.0/16")))


def subnet_of_six(text: str) -> str:
    """Return ``text`` in normal form, if it is an IPv6 network with room for a player.

    Raises:
        InvalidValue: It is not.
    """
    return _subnet(text, IPv6Network, Text(N_("an IPv6 network of /126 or larger, as in fd66::/64")))


def _subnet(text: str, kind: type[IPv4Network | IPv6Network], expected: Text) -> str:
    try:
        found = ip_network(text.strip(), strict=False)
    except ValueError:
        raise InvalidValue(expected) from None
    if not isinstance(found, kind) or found.num_addresses < _LEAST_ADDRESSES:
        raise InvalidValue(expected)
    return str(found)


class Listen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the platform reaches the gate.

    Attributes:
        host: The address to listen on.
        port: The port to listen on.
        cert: The certificate; with it the gate speaks HTTPS.
        key: Its private key.
    """

    host: Annotated[str, checked(listening_host)] = "127.0.0.1"
    port: Port = 7474
    cert: ExistingFile | None = None
    key: ExistingFile | None = None

    def __post_init__(self) -> None:
        if (self.cert is None) != (self.key is None):
            raise InvalidValue(Text(N_("both cert and key, or neither")), at="cert" if self.cert is None else "key")


class GateConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gate.

    Attributes:
        realm: The realm that it leads to, for people; which addresses those are, the platform says.
        auth_token: What the platform proves to be itself with.
        kind: Which VPN server it keeps.
        endpoint: What players' clients connect to: a host name or an address, and perhaps a port.
        port: The UDP port that the VPN server listens on.
        subnet: The players' addresses in the tunnel. The gate itself has the first.
        subnet6: Likewise for IPv6.
        routes: The realm's networks, which clients send through the tunnel.
        protected: Addresses and networks that no player ever reaches, whatever the platform says: the hypervisors'.
        interface: The name of the network interface.
        mtu: The largest packet in the tunnel, in bytes.
        state: The folder with what the gate remembers.
        clients: WireGuard: a folder of existing peers, PEER/PEER.conf, that are handed out first. ``clients_dir`` too.
        private_key: WireGuard: the server's key, where it was made elsewhere.
        ca_pass: OpenVPN: opens the key of an existing certificate authority.
        pki: OpenVPN: the folder of an existing certificate authority, as easy-rsa makes it.
        expiration: Minutes after which an access that is not used may be given to somebody else; never by default.
        listen: Where the platform reaches the gate.
    """

    realm: Name
    auth_token: Secret
    endpoint: Annotated[str, checked(client_endpoint)] = ""
    kind: Literal["wireguard", "openvpn"] = "wireguard"
    port: Port = 51820
    subnet: Annotated[str, checked(subnet_of_four)] = "10.66.0.0/16"
    subnet6: Annotated[str, checked(subnet_of_six)] | None = None
    routes: tuple[Annotated[str, checked(network)], ...] = ()
    protected: tuple[Annotated[str, checked(network)], ...] = ()
    interface: Annotated[str, checked(interface_name)] = _INTERFACE
    mtu: Annotated[int, Meta(ge=1280, le=9000)] = 1420
    state: Path = Path("/var/lib/chatsubo-gate")
    clients: Path | None = None
    clients_dir: Path | None = None
    private_key: Secret | None = None
    ca_pass: Secret | None = None
    pki: Path | None = None
    expiration: Annotated[int, Meta(ge=1)] | None = None
    listen: Listen = field(default_factory=Listen)

    def __post_init__(self) -> None:
        for at, subnet in (("subnet", self.network4), ("subnet6", self.network6)):
            if subnet is None:
                continue
            largest, smallest = _OPENVPN_BITS[at]
            if self.kind == "openvpn" and not largest <= subnet.prefixlen <= smallest:
                bits = {"largest": largest, "smallest": smallest}
                raise InvalidValue(Text(N_("a network of /{largest} to /{smallest}, which OpenVPN takes"), bits), at=at)
            if any(_within(ip_network(route), subnet) for route in self.routes):
                raise InvalidValue(
                    Text(N_("networks with machines, and none of the players' own addresses")), at="routes"
                )

    @property
    def network4(self) -> IPv4Network:
        """The players' IPv4 subnet."""
        found = ip_network(self.subnet)
        assert isinstance(found, IPv4Network)
        return found

    @property
    def network6(self) -> IPv6Network | None:
        """The players' IPv6 subnet, if there is one."""
        found = ip_network(self.subnet6) if self.subnet6 else None
        assert found is None or isinstance(found, IPv6Network)
        return found


def _within(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    return inner.version == outer.version and inner.network_address in outer and inner.prefixlen >= outer.prefixlen


def load_gate(path: str | Path, environ: Mapping[str, str] | None = None) -> GateConfig:
    """Read and check a gate's file.

    Args:
        path: The YAML file.
        environ: The environment; the process's own where it is not given.

    Raises:
        ConfigError: The file cannot be used; it holds all the mistakes.
    """
    return load_model(path, GateConfig, os.environ if environ is None else environ)
