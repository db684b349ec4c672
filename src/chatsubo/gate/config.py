"""The gate's own file."""

import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from chatsubo.config import ExistingFile, InvalidValue, Name, Port, Secret, checked, load_model, network
from chatsubo.domain.text import N_, Text

_INTERFACE = "chatsubo0"
_LONGEST_INTERFACE = 15


def interface_name(text: str) -> str:
    """Return ``text``, if the kernel takes it as the name of a network interface.

    Raises:
        InvalidValue: It does not.
    """
    plain = text.replace("-", "").replace("_", "").replace(".", "")
    if not 1 <= len(text) <= _LONGEST_INTERFACE or not plain.isalnum() or not text.isascii():
        raise InvalidValue(Text(N_("the name of an interface: 1 to 15 letters, digits, dashes, dots, underscores")))
    return text


class Listen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the platform reaches the gate.

    Attributes:
        host: The address to listen on.
        port: The port to listen on.
        cert: The certificate; with it the gate speaks HTTPS.
        key: Its private key.
    """

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
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
    endpoint: Annotated[str, Meta(min_length=1)] = ""
    kind: Literal["wireguard", "openvpn"] = "wireguard"
    port: Port = 51820
    subnet: Annotated[str, checked(network)] = "10.66.0.0/16"
    subnet6: Annotated[str, checked(network)] | None = None
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


def load_gate(path: str | Path, environ: Mapping[str, str] | None = None) -> GateConfig:
    """Read and check a gate's file.

    Args:
        path: The YAML file.
        environ: The environment; the process's own where it is not given.

    Raises:
        ConfigError: The file cannot be used; it holds all the mistakes.
    """
    return load_model(path, GateConfig, os.environ if environ is None else environ)
