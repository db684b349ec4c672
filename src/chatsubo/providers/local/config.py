"""The configuration of a local provider."""

from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from chatsubo.config import ByteSize, InvalidValue, ProviderConfig, checked
from chatsubo.domain.text import N_, Text

_LOOPBACK = IPv4Network("127.0.0.0/8")
_LONGEST_PREFIX = 30


def loopback_range(text: str) -> str:
    """Return ``text`` in normal form, if it is a range of loopback addresses with room for at least two.

    Raises:
        InvalidValue: It is not.
    """
    refusal = InvalidValue(Text(N_("a range of loopback addresses, as in 127.77.0.0/16")))
    try:
        network = IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise refusal from None
    if not network.subnet_of(_LOOPBACK) or network.prefixlen > _LONGEST_PREFIX:
        raise refusal
    return str(network)


class LocalLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one instance may use. A start's order and a template may ask for other values of the first two.

    Attributes:
        memory: Bytes of address space of each process.
        processes: Processes and threads at once.
        file_size: Bytes of each file that it writes.
        open_files: Files and sockets open at once, in each process.
        nice: How far it stands back for others, 0 to 19.
    """

    memory: ByteSize = ByteSize(512 << 20)
    processes: Annotated[int, Meta(ge=2)] = 64
    file_size: ByteSize = ByteSize(64 << 20)
    open_files: Annotated[int, Meta(ge=16)] = 256
    nice: Annotated[int, Meta(ge=0, le=19)] = 5


class LocalConfig(ProviderConfig, frozen=True, kw_only=True):
    """The configuration of a local provider.

    Attributes:
        templates_root: The folder with a folder for each template.
        data: A folder of this provider's own, for the instances; it is made if it is not there.
        allow_unsafe: Whether a server that is not the demo may use it, though it isolates nothing to rely on.
        address_range: The loopback addresses that instances are given.
        sandbox: ``auto`` takes bubblewrap where it works, ``bubblewrap`` insists on it, ``none`` does without.
        limits: What one instance may use.
        flag_prefix: What the flags begin with.
        max_concurrent_starts: How many starts and resets may be under way at once.
        start_timeout: How long a start may take, in seconds.
        ready_timeout: How long the services of an instance may take until they answer, in seconds.
    """

    templates_root: Path
    data: Path
    allow_unsafe: bool = False
    address_range: Annotated[str, checked(loopback_range)] = "127.77.0.0/16"
    sandbox: Literal["auto", "bubblewrap", "none"] = "auto"
    limits: LocalLimits = field(default_factory=LocalLimits)
    flag_prefix: Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_-]+$")] = "FLAG"
    max_concurrent_starts: Annotated[int, Meta(ge=1)] = 4
    start_timeout: Annotated[float, Meta(gt=0)] = 60.0
    ready_timeout: Annotated[float, Meta(gt=0)] = 20.0
