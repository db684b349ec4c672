"""Who may connect: a folder with a file for each, which OpenVPN reads when a client comes (``ccd-exclusive``).

There are thousands, so that a single one is not made to reach the disk: after a loss of power the server does not run
either, and :meth:`Admissions.hold` sees to it that every file is as it should be before it starts.
"""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from chatsubo.gate.model import Addresses
from chatsubo.gate.openvpn import files

_SERIAL = re.compile(r"# certificate ([0-9a-f]+)\n")


class Admissions:
    """The folder. Its methods block.

    Args:
        folder: The folder.
        drafts: Another one on the same file system, for files that are not whole yet.
    """

    def __init__(self, folder: Path, drafts: Path) -> None:
        self.folder, self._drafts = folder, drafts

    def hold(self, wanted: Mapping[str, str]) -> list[int]:
        """Let just these clients connect.

        Args:
            wanted: Their files, by their common names.

        Returns:
            The serial numbers of the certificates with which clients may connect no more.

        Raises:
            OSError: A file cannot be read or written.
        """
        for folder in (self.folder, self._drafts):
            files.make_folder(folder)
        gone: list[int] = []
        same: set[str] = set()
        for name in os.listdir(self.folder):  # noqa: PTH208  a Path for each of 10,000 names takes as long as reading them
            text = self._text(name)
            if text == wanted.get(name):
                same.add(name)
                continue
            if (found := _SERIAL.match(text)) and found[0] not in wanted.get(name, ""):
                gone.append(int(found[1], 16))
            if name not in wanted:
                self.remove([name])
        self.add({name: text for name, text in wanted.items() if name not in same})
        return gone

    def add(self, wanted: Mapping[str, str]) -> None:
        """Let clients connect, of whom others may already.

        Raises:
            OSError: A file cannot be written.
        """
        folder, draft = str(self.folder), str(self._drafts / "client")
        for name, text in wanted.items():
            handle = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, text.encode())
            finally:
                os.close(handle)
            os.rename(draft, f"{folder}/{name}")  # noqa: PTH104  likewise

    def remove(self, names: Iterable[str]) -> None:
        """Let clients connect no more.

        Raises:
            OSError: A file cannot be removed.
        """
        for name in names:
            with suppress(FileNotFoundError):
                (self.folder / name).unlink()

    def _text(self, name: str) -> str:
        with open(f"{self.folder}/{name}", "rb") as file:  # noqa: PTH123  likewise
            return file.read().decode("utf-8", "replace")


def client_settings(serial: str, addresses: Addresses, four: IPv4Network, six: IPv6Network | None) -> str:
    """Return a client's file: the addresses that it gets, and that alone it may send from.

    Args:
        serial: Its certificate's serial number, in hexadecimal.
        addresses: Where it is in the tunnel.
        four: The IPv4 subnet.
        six: The IPv6 subnet, if there is one.
    """
    lines = [f"# certificate {serial}", f"ifconfig-push {addresses.four} {four.netmask}"]
    if six is not None and addresses.six is not None:
        lines.append(f"ifconfig-ipv6-push {addresses.six}/{six.prefixlen} {six[1]}")
    return "\n".join(lines) + "\n"
