"""The rules as text, as ``nft -f`` reads it."""

from collections.abc import Collection, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from msgspec import Struct

from chatsubo.gate.model import Pair

MARK = 0x400000
"""The bit of a packet's mark that says that the gate let it through; it is set beside the bits of others."""

COUNTERS = ("spoofed", "forbidden", "unpaired", "host")

# This host, loopback, link-local, multicast, reserved and broadcast; for IPv6 also what has an IPv4 address in it.
_NEVER4 = [IPv4Network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")]
_NEVER6 = [IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "fe80::/10", "ff00::/8")]

_BASE_CHAINS = {
    # Before connections are tracked: what claims a wrong source leaves no trace.
    "prerouting": "filter hook prerouting priority raw",
    # Before Docker's chains, which are at the priority "filter".
    "input": "filter hook input priority filter - 1",
    "forward": "filter hook forward priority filter - 1",
    # Before Docker's masquerading, at "srcnat": the first that translates a connection is the only one.
    "postrouting": "nat hook postrouting priority srcnat - 1",
}
_IPV4, _IPV6 = "meta nfproto ipv4", "meta nfproto ipv6"
_MARKED = f"meta mark & {MARK:#x} == {MARK:#x}"
_UNMARKED = f"meta mark & {MARK:#x} == 0"
_REMEMBERED = "flags dynamic; size 65536; timeout 1m;"
_PING = "limit rate 10/second burst 20 packets"


class _Family(Struct, frozen=True, kw_only=True):
    """IPv4 or IPv6, in nft's words: ``ip``, ``ipv4_addr``, ``icmp``."""

    version: int
    ip: str
    address: str
    icmp: str
    subnet: IPv4Network | IPv6Network | None
    never: str


class Ruleset:
    """The rules of one gate, in a table of its own.

    Args:
        interface: The name of the VPN interface. It need not be there yet.
        subnet4: The players' addresses. The first is the gate's own.
        subnet6: Likewise for IPv6; without it players have no IPv6.
        protected: Networks that no player ever reaches.

    Attributes:
        table: The name of the table, of the family ``inet``.
    """

    def __init__(
        self,
        interface: str,
        subnet4: IPv4Network,
        subnet6: IPv6Network | None,
        protected: Iterable[IPv4Network | IPv6Network] = (),
    ) -> None:
        self.table = f"chatsubo_gate_{interface}"
        self._vpn = f'"{interface}"'
        networks = list(protected)
        never4 = [*_NEVER4, subnet4, *(one for one in networks if isinstance(one, IPv4Network))]
        never6 = [*_NEVER6, *(one for one in (subnet6, *networks) if isinstance(one, IPv6Network))]
        four, six = (_listed(collapse_addresses(never4)), _listed(collapse_addresses(never6)))
        self._families = (
            _Family(version=4, ip="ip", address="ipv4_addr", icmp="icmp", subnet=subnet4, never=four),
            _Family(version=6, ip="ip6", address="ipv6_addr", icmp="icmpv6", subnet=subnet6, never=six),
        )

    def whole(self, pairs: Collection[Pair]) -> str:
        """Return what makes the table complete, with just these pairs, in one transaction.

        Chains and sets that are there are emptied and filled again, not made anew: the kernel hooks a new chain in
        before the transaction holds and the old one out after it, and a packet between the two would meet neither's
        rules.
        """
        lines = [f"add table inet {self.table}"]
        lines += [self._line("add counter", name) for name in COUNTERS]
        for one in self._families:
            pair = f"type {one.address} . {one.address};"
            lines += [
                self._line("add set", f"pairs{one.version} {{ {pair} }}"),
                self._line("add set", f"back{one.version} {{ {pair} }}"),
                self._line("add set", f"pings{one.version} {{ type {one.address}; {_REMEMBERED} }}"),
                self._line("flush set", f"pairs{one.version}"),
                self._line("flush set", f"back{one.version}"),
            ]
        chains = self._chains()
        for name in chains:
            hook = f" {{ type {_BASE_CHAINS[name]}; policy accept; }}" if name in _BASE_CHAINS else ""
            lines += [self._line("add chain", f"{name}{hook}"), self._line("flush chain", name)]
        lines += [self._line("add rule", f"{name} {rule}") for name, rules in chains.items() for rule in rules]
        return _text([*lines, *self._filled(pairs)])

    def change(self, add: Collection[Pair], remove: Collection[Pair]) -> str:
        """Return what lets pairs through from now on, and others no more, in one transaction.

        A pair that is in both is let through. Pairs that are there, or are not there, already are no trouble.
        """
        lines: list[str] = []
        for version in (4, 6):
            added = {_element(one) for one in add if one.player.version == version}
            two_way = {_element(one) for one in add if one.player.version == version and one.back}
            gone = {_element(one) for one in remove if one.player.version == version}
            lines += self._absent(f"pairs{version}", gone - added)
            lines += self._absent(f"back{version}", (gone | added) - two_way)
        return _text([*lines, *self._filled(add)])

    def none(self) -> str:
        """Return what takes the table away, whether it is there or not."""
        return _text([f"add table inet {self.table}", f"delete table inet {self.table}"])

    def _chains(self) -> dict[str, list[str]]:
        """Return the rules by chain; a chain comes before those that lead to it."""
        return {
            "allowed": [f"meta mark set meta mark or {MARK:#x}", "accept"],
            "from_players": self._from_players(),
            "to_players": self._to_players(),
            "to_host": self._to_host(),
            "prerouting": self._prerouting(),
            "input": [f"iifname {self._vpn} goto to_host"],
            "forward": [f"iifname {self._vpn} goto from_players", f"oifname {self._vpn} goto to_players"],
            # To be translated to what it is already keeps a connection from being translated by anybody else.
            "postrouting": [f"{_MARKED} {_IPV4} snat ip to ip saddr", f"{_MARKED} {_IPV6} snat ip6 to ip6 saddr"],
        }

    def _prerouting(self) -> list[str]:
        """Sources: a tunnel address comes out of the tunnel, and nothing else does.

        On its way to a machine a packet may come by here again, where a bridge leads to another one and iptables are
        asked about both (net.bridge.bridge-nf-call-iptables, as on Proxmox VE): then it has the mark, which nobody can
        give it from outside.
        """
        rules = []
        for one in self._families:
            if one.subnet is None:
                rules.append(f"iifname {self._vpn} meta nfproto ipv{one.version} {_drop('spoofed')}")
            else:
                rules += [
                    f"iifname {self._vpn} {one.ip} saddr != {one.subnet} {_drop('spoofed')}",
                    f"iifname {self._vpn} {one.ip} saddr {one.subnet[1]} {_drop('spoofed')}",
                    f'iifname != {{ "lo", {self._vpn} }} {_UNMARKED} {one.ip} saddr {one.subnet} {_drop("spoofed")}',
                ]
        return rules

    def _from_players(self) -> list[str]:
        return [
            f"oifname {self._vpn} {_drop('forbidden')}",
            *(f"{one.ip} daddr {one.never} {_drop('forbidden')}" for one in self._families),
            # A port that the host publishes is a way to a machine under another address, and to the host.
            f"ct status dnat {_drop('forbidden')}",
            *(f"{one.ip} saddr . {one.ip} daddr @pairs{one.version} goto allowed" for one in self._families),
            _drop("unpaired"),
        ]

    def _to_players(self) -> list[str]:
        rules = []
        # Routers on the way tell of a packet that is too big, or that went nowhere; they are in no pair themselves.
        for one in self._families:
            told = f"ct state related meta l4proto {{ icmp, ipv6-icmp }} meta nfproto ipv{one.version}"
            source, target = f"ct original {one.ip} saddr", f"ct original {one.ip} daddr"
            rules += [
                f"{told} {source} . {target} @pairs{one.version} goto allowed",
                f"{told} {target} . {source} @back{one.version} goto allowed",
            ]
        rules += [f"{one.ip} saddr {one.never} {_drop('forbidden')}" for one in self._families]
        # Answers are looked up too: what is taken out of the set is cut, established or not. Of a connection that the
        # machine opened its packets are the original direction, so that one ends with the right to open it.
        answer = "ct state established,related ct direction reply"
        for one in self._families:
            pair = f"{one.ip} daddr . {one.ip} saddr"
            rules += [
                f"{pair} @back{one.version} goto allowed",
                f"{answer} {pair} @pairs{one.version} goto allowed",
            ]
        return [*rules, _drop("unpaired")]

    def _to_host(self) -> list[str]:
        pings = [
            f"{one.ip} daddr {one.subnet[1]} {one.icmp} type echo-request"
            f" update @pings{one.version} {{ {one.ip} saddr {_PING} }} accept"
            for one in self._families
            if one.subnet is not None
        ]
        return [*pings, _drop("host")]

    def _filled(self, pairs: Iterable[Pair]) -> list[str]:
        lines = []
        for version in (4, 6):
            mine = [one for one in pairs if one.player.version == version]
            lines += self._elements("add element", f"pairs{version}", {_element(one) for one in mine})
            lines += self._elements("add element", f"back{version}", {_element(one) for one in mine if one.back})
        return lines

    def _absent(self, name: str, elements: Collection[str]) -> list[str]:
        # To add what is there is no error, to delete what is not there is one.
        return self._elements("add element", name, elements) + self._elements("delete element", name, elements)

    def _elements(self, verb: str, name: str, elements: Collection[str]) -> list[str]:
        # One to a line, as nft shows the line where it finds a fault.
        return [self._line(verb, f"{name} {_listed(elements)}")] if elements else []

    def _line(self, verb: str, rest: str) -> str:
        return f"{verb} inet {self.table} {rest}"


def _drop(counter: str) -> str:
    return f'counter name "{counter}" drop'


def _element(pair: Pair) -> str:
    return f"{pair.player} . {pair.machine}"


def _listed(elements: Iterable[object]) -> str:
    return "{ " + ",\n".join(str(one) for one in elements) + " }"


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
