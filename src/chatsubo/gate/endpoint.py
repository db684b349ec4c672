"""Where players' clients connect to, as the gate's file names it."""

from ipaddress import IPv6Address, ip_address

from msgspec import Struct

_LARGEST_PORT = 65535


class Endpoint(Struct, frozen=True, kw_only=True):
    """A host and a UDP port.

    Attributes:
        host: A host name or an address, without brackets.
        port: The port.
    """

    host: str
    port: int

    @property
    def is_six(self) -> bool:
        """Whether the host is an IPv6 address."""
        try:
            return isinstance(ip_address(self.host), IPv6Address)
        except ValueError:
            return False


def endpoint(text: str, port: int) -> Endpoint:
    """Read ``host``, ``host:port``, ``[address]:port`` or a bare IPv6 address.

    Args:
        text: What the file says.
        port: The port, where the text has none.

    Raises:
        ValueError: It is nothing of that.
    """
    wrong = ValueError(f"{text!r} is no host name or address, with or without a port")
    host, found, rest = text.rpartition(":")
    if text.startswith("[") and text.endswith("]"):
        host, rest = text[1:-1], str(port)
    elif not found or (":" in host and not host.startswith("[")):
        host, rest = text, str(port)
    elif host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or any(letter.isspace() or letter in "[]\"'#;\\" or not letter.isprintable() for letter in host):
        raise wrong
    if not (rest.isascii() and rest.isdigit() and 1 <= int(rest) <= _LARGEST_PORT):
        raise wrong
    made = Endpoint(host=host, port=int(rest))
    if ":" in host and not made.is_six:
        raise wrong
    return made
