"""How often the kernel's rules were changed, by anybody: while the number is the same, nothing else has to be read."""

import socket
import struct

from chatsubo.gate.errors import FirewallError

# From the kernel's headers linux/netlink.h, linux/netfilter/nfnetlink.h and linux/netfilter/nf_tables.h.
_NETLINK_NETFILTER = 12
_REQUEST = 1
_NFTABLES = 10 << 8
_NEWGEN, _GETGEN = _NFTABLES | 15, _NFTABLES | 16
_HEADER = struct.Struct("=IHHIIBBH")
_NUMBER = struct.pack("=HH", 8, 1)  # the attribute NFTA_GEN_ID: four bytes, the greatest first
_LONGEST = 1 << 16


def current_generation(limit: float = 5.0) -> int:
    """Return the number of the rules that hold now in this thread's network; each transaction makes a new one.

    Args:
        limit: Seconds that the kernel may take.

    Raises:
        FirewallError: The kernel does not tell.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as kernel:
        kernel.settimeout(limit)
        try:
            kernel.send(_HEADER.pack(_HEADER.size, _GETGEN, _REQUEST, 0, 0, socket.AF_UNSPEC, 0, 0))
            answer = kernel.recv(_LONGEST)
        except OSError as error:
            raise FirewallError(f"the kernel does not tell whether its rules were changed: {error}") from error
    kind = _HEADER.unpack_from(answer)[1] if len(answer) > _HEADER.size else 0
    place = answer.find(_NUMBER, _HEADER.size)
    if kind != _NEWGEN or place < 0:
        raise FirewallError("the kernel does not tell whether its rules were changed")
    return int.from_bytes(answer[place + 4 : place + 8], "big")
