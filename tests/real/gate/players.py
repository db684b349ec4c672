"""Two players on a bridge that stands in for a VPN interface: where the VPN itself does not matter, this is faster."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from tests.real.namespace import Host, run

# A bridge's neighbours look for each other and tell what groups they are in; out of a tunnel comes nothing of the kind,
# and tests count what is dropped.
SILENCE = (
    "add table ip6 silence; add chain ip6 silence output { type filter hook output priority 0; };"
    " add rule ip6 silence output icmpv6 type 130-143 drop"
)

IP_TRANSPARENT = 19
IPV6_TRANSPARENT = 75


@dataclass(frozen=True)
class Player:
    """A player in a namespace, all of whose packets go to the gate through the device ``tun``."""

    host: Host
    four: str
    six: str

    def at(self, version: int) -> str:
        """Return the address in the tunnel, IPv4 or IPv6."""
        return self.four if version == 4 else self.six


class Players:
    """Players A and B, and the interface that they come out of.

    Attributes:
        interface: Its name.
        four: The players' subnet; the gate has the first address, A the second, B the third.
        six: Likewise for IPv6.
    """

    def __init__(self, gate: Host, token: str, number: int = 66) -> None:
        """Make nothing yet.

        Args:
            gate: Where the interface is to be.
            token: What no other test on this machine has in the names of its namespaces.
            number: Of the subnets.
        """
        self.gate = gate
        self.interface = f"vpn{number}"
        self.four = IPv4Network(f"10.{number}.0.0/16")
        self.six = IPv6Network(f"fd{number}::/64")
        self.a, self.b = (
            Player(Host(f"chatsubo-{token}-p{number}{letter}"), str(self.four[place]), str(self.six[place]))
            for letter, place in (("a", 2), ("b", 3))
        )

    def create(self) -> None:
        """Make the interface, and the players with their ways to it."""
        self._ip(self.gate, f"link add {self.interface} address 02:00:00:00:00:01 type bridge mcast_snooping 0")
        self._ip(self.gate, f"link set {self.interface} addrgenmode none up")
        self._ip(self.gate, f"address add {self.four[1]}/16 dev {self.interface}")
        self._ip(self.gate, f"address add {self.six[1]}/64 dev {self.interface} nodad")
        for place, player in ((2, self.a), (3, self.b)):
            self._join(player, f"{self.interface}-{place}", f"02:00:00:00:00:0{place}")

    def remove(self) -> None:
        """Remove the players and the interface, however far :meth:`create` came."""
        for player in (self.a, self.b):
            run("ip", "netns", "delete", player.host.name, check=False)
        run("ip", "-n", self.gate.name, "link", "delete", self.interface, check=False)

    def _join(self, player: Player, port: str, hardware: str) -> None:
        run("ip", "netns", "add", player.host.name)
        run(*f"ip link add {port} netns {self.gate.name} type veth peer name tun netns {player.host.name}".split())
        self._ip(self.gate, f"link set {port} addrgenmode none master {self.interface} up")
        self._ip(player.host, "link set lo up")
        player.host.run("nft", SILENCE)
        self._ip(player.host, f"link set tun address {hardware} addrgenmode none up")
        self._ip(player.host, f"address add {player.four}/32 dev tun")
        self._ip(player.host, f"address add {player.six}/128 dev tun nodad")
        self._ip(player.host, f"route add default via {self.four[1]} dev tun onlink")
        # A tunnel has no neighbours to look for, and the gate lets none be looked for.
        self._ip(player.host, f"neigh add {self.six[1]} lladdr 02:00:00:00:00:01 dev tun")
        self._ip(player.host, f"-6 route add default via {self.six[1]} dev tun onlink")
        self._ip(self.gate, f"neigh add {player.six} lladdr {hardware} dev {self.interface}")

    @staticmethod
    def _ip(host: Host, line: str) -> None:
        run("ip", "-n", host.name, *line.split())


def new_socket(host: Host, version: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
    """Return a socket that belongs to a host; it does not block."""
    with host.inside():
        made = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, kind)
    made.setblocking(False)
    return made


def shout(host: Host, version: int, address: str, port: int, text: bytes, *, source: str = "") -> None:
    """Send a datagram from a host, which may claim any source."""
    with new_socket(host, version, socket.SOCK_DGRAM) as made:
        if source:
            level, option = (socket.SOL_IP, IP_TRANSPARENT) if version == 4 else (socket.IPPROTO_IPV6, IPV6_TRANSPARENT)
            made.setsockopt(level, option, 1)
            made.bind((source, 0))
        made.sendto(text, (address, port))


@contextmanager
def new_players(gate: Host, token: str, number: int = 66) -> Iterator[Players]:
    """Players who are removed at the end, even if they were not made whole."""
    players = Players(gate, token, number)
    try:
        players.create()
        yield players
    finally:
        players.remove()
