"""The server's configuration file."""

from contextlib import suppress
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

from chatsubo.gate.config import GateConfig
from chatsubo.gate.openvpn import files
from chatsubo.gate.openvpn.client import CIPHERS, routes
from chatsubo.gate.openvpn.easyrsa import Existing
from chatsubo.gate.openvpn.keyring import Keyring

_MOST_CLIENTS = 65536
_IPV6 = Path("/proc/net/if_inet6")


class Places:
    """Where the server finds and leaves its files.

    Args:
        folder: The folder of them all.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.clients, self.drafts = self.folder / "ccd", self.folder / "drafts"
        self.revoked = self.folder / "crl.pem"
        self.management, self.pid, self.log = (
            self.folder / name for name in ("management", "server.pid", "server.log")
        )


def server_text(config: GateConfig, places: Places, keyring: Keyring) -> str:
    """Return the file, in which the keys are: it is all that tells one server from another.

    Args:
        config: The gate's file.
        places: Where the server finds its other files.
        keyring: What it proves itself with. Where an authority was adopted, clients of old find what they are used to.

    Raises:
        StateError: The authority is not valid now.
        OSError: The server's certificate cannot be written.
    """
    existing, server = keyring.existing, files.pem_blocks(keyring.server())
    inline = {
        "ca": keyring.authority.pem,
        "cert": server["CERTIFICATE"],
        "key": server["PRIVATE KEY"],
        "tls-crypt-v2": keyring.wrapping.pem,
    }
    lines = [*_network(config), *_crypto(), *_files(places)]
    if existing is not None:
        lines += _for_clients_of_old(config, existing)
        inline |= {"tls-auth": existing.tls_auth.reveal()} if existing.tls_auth else {}
        inline |= {"tls-crypt": existing.tls_crypt.reveal()} if existing.tls_crypt and not existing.tls_auth else {}
    return "\n".join([*lines, *(f"<{tag}>\n{text.strip()}\n</{tag}>" for tag, text in inline.items())]) + "\n"


def _network(config: GateConfig) -> list[str]:
    four, six = config.network4, config.network6
    lines = [
        f"port {config.port}",
        f"proto {'udp6' if _both_families(config) else 'udp4'}",
        # Answers come from the address that was asked, on a machine that has several.
        "multihome",
        f"dev {config.interface}",
        "dev-type tun",
        "persist-tun",
        f"tun-mtu {config.mtu}",
        "topology subnet",
        f"server {four.network_address} {four.netmask} nopool",
        f"max-clients {min(_MOST_CLIENTS, four.num_addresses)}",
        # What is forwarded has to pass the gate's own rules in the kernel: no offloading, no client-to-client.
        "setenv opt disable-dco",
        # After half a minute of silence a client looks for the server again; the server forgets it after a minute.
        "keepalive 10 30",
        "explicit-exit-notify 1",
        # The first packet of a stranger is not answered (tls-crypt), so that the usual limit protects nobody; it would
        # make a thousand players wait for minutes when they all come back at once.
        "setenv opt connect-freq-initial 2000 1",
    ]
    return lines + ([f"ifconfig-ipv6 {six[1]}/{six.prefixlen} {six[2]}", "push tun-ipv6"] if six else [])


def _crypto() -> list[str]:
    return ["dh none", "remote-cert-tls client", "tls-version-min 1.2", f"data-ciphers {CIPHERS}"]


def _files(places: Places) -> list[str]:
    return [
        f"client-config-dir {_quoted(places.clients)}",
        "ccd-exclusive",
        f"crl-verify {_quoted(places.revoked)}",
        f"management {_quoted(places.management)} unix",
        f"writepid {_quoted(places.pid)}",
        f"log-append {_quoted(places.log)}",
        # At 3 there are lines for every question over the management socket, which is asked every other second.
        "verb 2",
    ]


def _for_clients_of_old(config: GateConfig, existing: Existing) -> list[str]:
    """Their files name no routes, and may ask for compression, which is turned off for them."""
    lines = [f'push "{one}"' for one in routes(config.routes)]
    return [*lines, "compress migrate", *(["key-direction 0"] if existing.tls_auth else [])]


def _both_families(config: GateConfig) -> bool:
    """Return whether clients may come over IPv6: then the server takes both, since a name may lead to both."""
    with suppress(AddressValueError):
        IPv4Address(config.endpoint.partition(":")[0])
        return False
    return _IPV6.exists()


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
