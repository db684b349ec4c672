"""Whether the host passes packets on from one interface to another."""

from pathlib import Path

from chatsubo.gate.errors import FirewallError

_SETTINGS = Path("/proc/sys/net")
_WHOLE_HOST = {4: "ipv4/ip_forward", 6: "ipv6/conf/all/forwarding"}


def forwards(version: int, interface: str | None = None) -> bool:
    """Return whether packets are passed on.

    Args:
        version: 4 or 6, of the Internet Protocol.
        interface: Whether those that come in there are; on the whole host if it is not given.
    """
    path = _WHOLE_HOST[version] if interface is None else f"ipv{version}/conf/{interface}/forwarding"
    try:
        return (_SETTINGS / path).read_text().strip() != "0"
    except OSError:  # no such interface, or a kernel without IPv6
        return False


def start_forwarding(version: int) -> None:
    """Let the whole host pass packets on, until it is started again.

    All its interfaces do so then, each to each, where no firewall keeps them from it; and with IPv6 a host that has
    its address from router advertisements no longer heeds them (``accept_ra``, the kernel's ip-sysctl.rst).

    Args:
        version: 4 or 6, of the Internet Protocol.

    Raises:
        FirewallError: The kernel does not let us.
    """
    try:
        (_SETTINGS / _WHOLE_HOST[version]).write_text("1")
    except OSError as error:
        raise FirewallError(
            f"{_SETTINGS / _WHOLE_HOST[version]} cannot be written: {error.strerror}; the gate has to run as root"
        ) from error
