"""The configuration of a Docker provider."""

import ipaddress
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field

from chatsubo.config import ByteSize, ExistingFile, Host, InvalidValue, Name, Port, ProviderConfig, checked
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Limits

MEBIBYTE = 1024 * 1024
DEFAULT_CAPABILITIES = (
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"),
    "SYS_CHROOT",
)
"""What servers need to listen on low ports and to change to an account of their own; the engine's default set without
NET_RAW (forging the traffic of others), MKNOD, SETFCAP and SETPCAP."""


def subnet(text: str) -> str:
    """Return ``text``, if it is an IPv4 network with room for boxes.

    Raises:
        InvalidValue: It is not.
    """
    refusal = InvalidValue(Text(N_("an IPv4 network of a /29 or larger, as in 172.30.0.0/16")))
    try:
        parsed = ipaddress.IPv4Network(text)
    except ValueError:
        raise refusal from None
    if parsed.prefixlen > 29:  # noqa: PLR2004  smaller ones have no room
        raise refusal
    return str(parsed)


def capability(text: str) -> str:
    """Return the name of a Linux capability in capitals, without ``CAP_``."""
    return text.strip().upper().removeprefix("CAP_")


Subnet = Annotated[str, checked(subnet)]
Capability = Annotated[str, Meta(pattern=r"^[A-Za-z_]{3,32}$"), checked(capability)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class Client(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the platform shows the engine, and knows it by.

    Attributes:
        cert: Our certificate, PEM.
        key: Its key, PEM.
        ca: The authority that signed the engine's certificate, PEM.
    """

    cert: ExistingFile
    key: ExistingFile
    ca: ExistingFile


class Api(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the engine is: a host with mutual TLS, or a socket on this machine.

    Attributes:
        host: Its name or address.
        port: Its port.
        client: The certificates.
        tls: False for an engine without TLS: everyone who reaches its port is root on its machine.
        socket: Its socket, instead of a host.
    """

    host: Host | None = None
    port: Port = 2376
    client: Client | None = None
    tls: bool = True
    socket: Path | None = None

    def __post_init__(self) -> None:
        if (self.host is None) == (self.socket is None):
            raise InvalidValue(Text(N_("either a host or a socket")), at="host")
        if self.unix_socket is None and self.tls and self.client is None:
            advice = Text(N_("An engine without TLS has to be asked for with tls: false."))
            raise InvalidValue(Text(N_("the certificates for mutual TLS")), at="client", suggestion=advice)
        if self.client is not None and not self.tls:
            raise InvalidValue(Text(N_("no certificates where tls is false")), at="client")

    @property
    def unix_socket(self) -> str | None:
        """The path of the engine's socket, if it has one."""
        return str(self.socket) if self.socket is not None else (self.host.path if self.host else None)

    @property
    def name(self) -> str:
        """The host's name or address; ``localhost`` for a socket."""
        return self.host.name if self.host and self.host.name else "localhost"

    @property
    def url(self) -> str:
        """The engine's URL."""
        if self.unix_socket is not None:
            return f"unix://{self.unix_socket}"
        assert self.host is not None
        return f"{'https' if self.tls else 'http'}://{self.host.authority(self.port)}"


class BoxLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one box may use, unless its labels ask for more and :class:`Allow` lets them.

    Attributes:
        memory: Bytes; swap is not added to them.
        cpus: Cores.
        processes: Processes and threads.
    """

    memory: ByteSize = ByteSize(256 * MEBIBYTE)
    cpus: Positive = 1.0
    processes: Count = 256


class Allow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the labels of a template may ask for.

    Attributes:
        capabilities: Linux capabilities beyond the usual.
        new_privileges: Whether programs in a box may gain rights by setuid or sudo.
        internet: Whether boxes may reach the internet.
        memory, cpus, processes: How far their limits may be raised.
    """

    capabilities: tuple[Capability, ...] = ()
    new_privileges: bool = False
    internet: bool = False
    memory: ByteSize | None = None
    cpus: Positive | None = None
    processes: Count | None = None


class Internet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network of boxes that may reach the internet.

    Attributes:
        network: Its name.
        subnet: Its addresses, to create it with.
    """

    network: Name = "chatsubo-online"
    subnet: Subnet | None = None


class DockerConfig(ProviderConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Docker Engine.

    Attributes:
        api: Where it is.
        dockerfiles_root: The folder whose folders are templates; without it only classic containers are found.
        docker_network: The network of the boxes.
        subnet: Its addresses, to create it with where it does not exist.
        network_options: Driver options for networks that are created, beyond those that are always set.
        internet: The network of boxes that may reach the internet.
        flag_prefix: What dynamic flags begin with.
        limits: What one box may use.
        allow: What labels may ask for.
        capabilities: The Linux capabilities that every box has.
        public_host: The name or address that players reach published ports at.
        reachable: Whether this process can open connections to the boxes: then it waits for their port.
        host_firewall: Whether the operator put rules on the host that keep boxes from its addresses and from elsewhere.
        build_timeout: Seconds that building an image may take.
        ready_timeout: Seconds that a box may take from its start to being ready.
        start_timeout: Seconds that a whole start may take.
        request_timeout: Seconds that the engine may take for one answer.
        max_concurrent_starts: Starts and resets under way at once.
        max_concurrent_builds: Builds under way at once.
        max_requests: Requests in flight at once.
    """

    api: Api
    dockerfiles_root: Path | None = None
    docker_network: Name = "chatsubo-gate"
    subnet: Subnet | None = None
    network_options: dict[str, str] = field(default_factory=dict)
    internet: Internet = field(default_factory=Internet)
    flag_prefix: Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_.-]+$")] = "FLAG"
    limits: BoxLimits = field(default_factory=BoxLimits)
    allow: Allow = field(default_factory=Allow)
    capabilities: tuple[Capability, ...] = DEFAULT_CAPABILITIES
    public_host: str = ""
    reachable: bool = False
    host_firewall: bool = False
    build_timeout: Positive = 600.0
    ready_timeout: Positive = 60.0
    start_timeout: Positive = 900.0
    request_timeout: Positive = 30.0
    max_concurrent_starts: Count = 8
    max_concurrent_builds: Count = 2
    max_requests: Count = 8

    @property
    def ports_host(self) -> str:
        """The name or address that players reach published ports at."""
        return self.public_host or self.api.name

    def limits_for(self, asked: Limits, ordered: Limits) -> Limits:
        """Return what a box may use.

        Args:
            asked: What its labels ask for, granted as far as the configuration allows it.
            ordered: What the platform says; it wins.
        """
        usual, most = self.limits, self.allow
        return Limits(
            memory=ordered.memory or int(_granted(asked.memory, usual.memory, most.memory)),
            cpus=ordered.cpus or _granted(asked.cpus, usual.cpus, most.cpus),
            processes=ordered.processes or int(_granted(asked.processes, usual.processes, most.processes)),
        )


def _granted(asked: float | None, usual: float, most: float | None) -> float:
    """Return a limit: the usual one, or the one asked for, which is at most the greatest allowed."""
    return usual if asked is None else min(asked, max(usual, most or 0))
