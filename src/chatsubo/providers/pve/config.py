"""The configuration of a Proxmox VE provider."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Self

from msgspec import Meta, Struct

from chatsubo.config import ExistingFile, Host, InvalidValue, Name, Port, ProviderConfig, Secret, checked, network
from chatsubo.domain.text import N_, Text

PORT = 8006
LOWEST_VMID = 100
HIGHEST_VMID = 999_999_999
MOST_CLONES = 4096


def tag(text: str) -> str:
    """Return a tag as Proxmox stores it, in lower case.

    Raises:
        InvalidValue: It is none.
    """
    lowered = text.lower()
    if not re.fullmatch(r"[a-z0-9_][a-z0-9_\-+.]*", lowered):
        raise InvalidValue(Text(N_("a tag of letters, digits, _, -, + and .")))
    return lowered


def address(text: str) -> str:
    """Return ``text``, if it is an IPv4 address.

    Raises:
        InvalidValue: It is none.
    """
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise InvalidValue(Text(N_("an IPv4 address, as in 10.20.0.1"))) from None


Tag = Annotated[str, checked(tag)]
Address = Annotated[str, checked(address)]
NetworkOrAddress = Annotated[str, checked(network)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


@dataclass(frozen=True, slots=True)
class Vmids:
    """A range of ids for clones, written as ``9000-9099``.

    Attributes:
        first, last: Its ends; both belong to it.
    """

    first: int
    last: int

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the range that ``text`` says.

        Raises:
            InvalidValue: It says none, or one outside of what Proxmox allows.
        """
        match = re.fullmatch(r"\s*([0-9]{3,9})\s*-\s*([0-9]{3,9})\s*", text)
        if match and LOWEST_VMID <= int(match[1]) <= int(match[2]) and int(match[2]) - int(match[1]) < MOST_CLONES:
            return cls(int(match[1]), int(match[2]))
        raise InvalidValue(Text(N_("a range of ids from 100 on, at most 4096 of them, as in 9000-9099")))

    def __contains__(self, vmid: object) -> bool:
        return isinstance(vmid, int) and self.first <= vmid <= self.last

    @property
    def size(self) -> int:
        """How many ids it has."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of clones, written as ``10.20.0.10-10.20.0.109/24``: from the first to the last, in a network.

    Attributes:
        first: The first address.
        count: How many there are.
        network: The network that they are in.
    """

    first: ipaddress.IPv4Address
    count: int
    network: ipaddress.IPv4Network

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the addresses that ``text`` says.

        Raises:
            InvalidValue: It says none.
        """
        expected = N_("the first and the last address and the network's size, as in {example}")
        refusal = InvalidValue(Text(expected, {"example": "10.20.0.10-10.20.0.109/24"}))
        try:
            first, last = text.split("-")
            end = ipaddress.IPv4Interface(last.strip())
            begin = ipaddress.IPv4Address(first.strip())
        except ValueError:
            raise refusal from None
        if "/" not in last or begin not in end.network or begin > end.ip:
            raise refusal
        return cls(begin, int(end.ip) - int(begin) + 1, end.network)

    def at(self, index: int) -> ipaddress.IPv4Address:
        """Return the address of that number, counted from 0."""
        return self.first + index


class Token(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An API token.

    Attributes:
        name: What it is called; ``USER!NAME`` as Proxmox shows it is taken too.
        value: Its secret.
    """

    name: Annotated[str, Meta(min_length=1)]
    value: Secret


class Api(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where Proxmox VE is, and who we are there.

    Attributes:
        user: Whom the token belongs to, with the realm of Proxmox: ``api@pve``.
        host: The name or address of one node.
        port: Its port.
        token: The token.
    """

    user: Annotated[str, Meta(pattern=r"^[^\s@!:/]+@[A-Za-z][A-Za-z0-9._-]+$")]
    host: Host
    port: Port = PORT
    token: Token

    def __post_init__(self) -> None:
        if self.host.scheme not in (None, "https"):
            raise InvalidValue(Text(N_("a host with https: the token goes over this connection")), at="host")

    @property
    def url(self) -> str:
        """The URL that all paths of the API begin with."""
        return f"https://{self.host.authority(self.port)}/api2/json"

    @property
    def token_id(self) -> str:
        """What Proxmox calls the token: ``USER!NAME``."""
        return f"{self.user}!{self.token.name.removeprefix(self.user + '!')}"


class RealmNetwork(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the clones of one realm are.

    Attributes:
        bridge: The bridge or VNet.
        vlan: The VLAN on it; none where the bridge is enough.
        addresses: The addresses to give; without them the network's own DHCP server gives some.
        gateway: The router of that network, where players come through one.
        dns: The name server of the clones.
        players: Networks and addresses that may connect to clones, and that clones may connect to.
    """

    bridge: Name
    vlan: Annotated[int, Meta(ge=1, le=4094)] | None = None
    addresses: Addresses | None = None
    gateway: Address | None = None
    dns: Address | None = None
    players: Annotated[tuple[NetworkOrAddress, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if self.addresses is None:
            return
        begin, end = self.addresses.first, self.addresses.at(self.addresses.count - 1)
        for place, one in enumerate(self.players):
            allowed = ipaddress.ip_network(one)
            if allowed.version == begin.version and allowed[0] <= end and begin <= allowed[-1]:
                expected = Text(N_("networks without the addresses of the clones: they could reach each other"))
                raise InvalidValue(expected, at=f"players.{place}")


class Dynamic(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How players are given machines of their own.

    Attributes:
        vmids: The ids that clones get; nothing else may use them.
        networks: For each realm that clones are made in, where.
        pool: The pool that clones are put into.
        storage: Where clones go that cannot be linked to their template.
        max_concurrent_clones: Clones made at once.
        reachable: Whether this process can open connections to clones: then it waits for their port.
        firewall: Whether each clone gets firewall rules; false where the network itself keeps them apart.
    """

    vmids: Vmids
    networks: dict[str, RealmNetwork]
    pool: Name | None = None
    storage: Name | None = None
    max_concurrent_clones: Count = 2
    reachable: bool = False
    firewall: bool = True

    def __post_init__(self) -> None:
        for realm, one in self.networks.items():
            if one.addresses is not None and one.addresses.count < self.vmids.size:
                expected = Text(N_("as many addresses as there are ids in vmids: {count}"), {"count": self.vmids.size})
                raise InvalidValue(expected, at=f"networks.{realm}.addresses")


class PveConfig(ProviderConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Proxmox VE node or cluster.

    Attributes:
        api: Where it is.
        nodes: The nodes whose guests count; all where none is named.
        verify_ssl: Whether its certificate is verified.
        ca: The authority that signed its certificate, PEM, where it is a private one.
        tag: Only guests with this tag count; their configurations alone are then asked for.
        dynamic: How players are given machines of their own; without it only classic machines are served.
        flag_prefix: What dynamic flags begin with.
        max_in_flight: Requests in flight at once.
        max_concurrent_starts: Starts and resets under way at once.
        request_timeout: Seconds that Proxmox may take for one answer.
        start_timeout: Seconds that a whole start or reset may take.
        ready_timeout: Seconds that a clone may take from its start to being ready.
    """

    api: Api
    nodes: tuple[Name, ...] = ()
    verify_ssl: bool = True
    ca: ExistingFile | None = None
    tag: Tag | None = None
    dynamic: Dynamic | None = None
    flag_prefix: Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_.-]+$")] = "FLAG"
    max_in_flight: Count = 8
    max_concurrent_starts: Count = 4
    request_timeout: Positive = 30.0
    start_timeout: Positive = 600.0
    ready_timeout: Positive = 180.0

    def __post_init__(self) -> None:
        if self.ca is not None and not self.verify_ssl:
            raise InvalidValue(Text(N_("no CA where verify_ssl is false: nothing would be verified")), at="ca")
        for realm in self.dynamic.networks if self.dynamic else ():
            if realm not in self.realms:
                expected = Text(N_("one of the provider's realms"))
                raise InvalidValue(expected, at=f"dynamic.networks.{realm}")
