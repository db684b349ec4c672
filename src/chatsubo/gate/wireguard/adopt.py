"""Peers made elsewhere: a folder of client files, PEER/PEER.conf, as the linuxserver/wireguard image lays it out."""

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_interface
from pathlib import Path

from msgspec import Struct

from chatsubo.config import Secret
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.model import Addresses, Keys
from chatsubo.gate.wireguard.keys import Material, is_key, public_key

_SUFFIX = ".conf"
_PREFIX = "peer"
_LARGEST = 64 * 1024
_HEADER = re.compile(r"\[\s*(\w+)\s*\]")
_INTERFACE, _PEER = "interface", "peer"
# What wg(8) and wg-quick(8) know. Those of the second row may come more than once.
_KNOWN = {
    _INTERFACE: {"privatekey", "listenport", "fwmark", "mtu", "table", "saveconfig"}
    | {"address", "dns", "preup", "postup", "predown", "postdown"},
    _PEER: {"publickey", "presharedkey", "endpoint", "persistentkeepalive"} | {"allowedips"},
}
_REPEATED = {"address", "dns", "preup", "postup", "predown", "postdown", "allowedips"}


class Adopted(Struct, frozen=True, kw_only=True):
    """An access that was made elsewhere.

    Attributes:
        name: The name of its folder.
        path: Its file.
        addresses: Where its player is in the tunnel.
        keys: What its player proves to be itself with; the material is the file as it is.
        server: The public key of the server that it connects to.
        endpoint: Where that server is, as ``host:port``.
    """

    name: str
    path: Path
    addresses: Addresses
    keys: Keys
    server: str
    endpoint: str


class Faulty(Struct, frozen=True, kw_only=True):
    """A file that cannot be adopted.

    Attributes:
        path: Which.
        reason: Why; it holds nothing of the file's content.
    """

    path: Path
    reason: str


class Folder(Struct, frozen=True, kw_only=True):
    """What a folder of client files holds.

    Attributes:
        peers: In the order of their names, numbers by size: ``peer2`` comes before ``peer10``.
        faults: The files that cannot be adopted.
    """

    peers: tuple[Adopted, ...]
    faults: tuple[Faulty, ...]

    def check_server(self, public: str) -> None:
        """Check that the peers connect to the server whose public key is given.

        Raises:
            TunnelError: Some connect to another.
        """
        others = [peer for peer in self.peers if peer.server != public]
        if others:
            raise TunnelError(
                f"{len(others)} of {len(self.peers)} adopted files, such as {others[0].path}, name another server's "
                "public key than the gate's: set private_key to the key of the server that they were made for"
            )


class _FaultyFile(Exception):
    """The reason why a file cannot be adopted."""


def read_folder(folder: Path) -> Folder:
    """Return the accesses that a folder holds. It blocks.

    Raises:
        TunnelError: The folder cannot be read.
    """
    try:
        names = sorted((entry.name for entry in folder.iterdir() if entry.is_dir()), key=_by_number)
    except OSError as error:
        raise TunnelError(f"the folder of adopted clients, {folder}, cannot be read: {error.strerror}") from error
    peers: list[Adopted] = []
    faults: list[Faulty] = []
    taken: dict[object, Path] = {}
    for name in names:
        path = folder / name / f"{name}{_SUFFIX}"
        # Others are the image's own: coredns, server, templates, wg_confs.
        if not path.exists() and not name.lower().startswith(_PREFIX):
            continue
        try:
            peer = _read(name, path)
            _claim(peer, taken)
        except _FaultyFile as fault:
            faults.append(Faulty(path=path, reason=str(fault)))
        else:
            peers.append(peer)
    return Folder(peers=tuple(peers), faults=tuple(faults))


def _by_number(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _claim(peer: Adopted, taken: dict[object, Path]) -> None:
    """Note what a peer has for itself.

    Raises:
        _FaultyFile: Another has it already.
    """
    own = {"key": peer.keys.public, "address": peer.addresses.four, "IPv6 address": peer.addresses.six}
    for what, value in own.items():
        if value is not None and value in taken:
            raise _FaultyFile(f"it has the {what} of {taken[value]}")
    taken |= dict.fromkeys(own.values(), peer.path)


def _read(name: str, path: Path) -> Adopted:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise _FaultyFile(f"it cannot be read: {error.strerror}") from error
    if len(raw) > _LARGEST:
        raise _FaultyFile(f"it is larger than {_LARGEST} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _FaultyFile("it is not text (UTF-8)") from None
    return _parse(name, path, text)


def _parse(name: str, path: Path, text: str) -> Adopted:
    said = _sections(text)
    private = Secret(_key(said, _INTERFACE, "PrivateKey"))
    preshared = Secret(_key(said, _PEER, "PresharedKey")) if "presharedkey" in said[_PEER] else None
    return Adopted(
        name=name,
        path=path,
        addresses=_addresses(said[_INTERFACE].get("address", [])),
        keys=Keys(public=public_key(private), material=Material(text=Secret(text), preshared=preshared).sealed()),
        server=_key(said, _PEER, "PublicKey"),
        endpoint=_only(said, _PEER, "Endpoint"),
    )


def _sections(text: str) -> dict[str, dict[str, list[str]]]:
    """Return the values by section and key, both in lower case."""
    sections: dict[str, dict[str, list[str]]] = {}
    current = ""
    for number, content in _lines(text):
        if content.startswith("["):
            header = _HEADER.fullmatch(content)
            current = header[1].lower() if header else ""
            if current not in _KNOWN:
                raise _FaultyFile(f"line {number} begins a section that is neither [Interface] nor [Peer]")
            if current in sections:
                raise _FaultyFile(f"line {number} begins a second section [{current.capitalize()}]")
            sections[current] = {}
            continue
        key, equals, value = (part.strip() for part in content.partition("="))
        if not equals or not value or key.lower() not in _KNOWN.get(current, set()):
            raise _FaultyFile(f"line {number} is not understood")
        values = sections[current].setdefault(key.lower(), [])
        if values and key.lower() not in _REPEATED:
            raise _FaultyFile(f"line {number} says a second time what comes once")
        values.append(value)
    for section in _KNOWN:
        if section not in sections:
            raise _FaultyFile(f"it has no section [{section.capitalize()}]")
    return sections


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if content := line.partition("#")[0].strip():
            yield number, content


def _only(said: dict[str, dict[str, list[str]]], section: str, key: str) -> str:
    values = said[section].get(key.lower())
    if values is None:
        raise _FaultyFile(f"it has no {key}")
    return values[0]


def _key(said: dict[str, dict[str, list[str]]], section: str, name: str) -> str:
    text = _only(said, section, name)
    if not is_key(text):
        raise _FaultyFile(f"its {name} is no key: 32 bytes in base64")
    return text


def _addresses(values: Sequence[str]) -> Addresses:
    four: list[IPv4Address] = []
    six: list[IPv6Address] = []
    for text in ",".join(values).split(","):
        try:
            address = ip_interface(text.strip()).ip
        except ValueError:
            raise _FaultyFile("its Address is no list of IP addresses") from None
        if isinstance(address, IPv4Address):
            four.append(address)
        else:
            six.append(address)
    if len(four) != 1 or len(six) > 1:
        raise _FaultyFile("its Address is not one of IPv4 and at most one of IPv6")
    return Addresses(four=four[0], six=six[0] if six else None)
