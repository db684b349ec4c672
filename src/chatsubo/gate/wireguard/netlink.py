"""Generic netlink: messages of attributes to a part of the kernel and back.

Written out here because pyroute2 takes a millisecond for each peer, 10 s for 10,000. The format is in the kernel's
``include/uapi/linux/netlink.h`` and ``genetlink.h``.
"""

import os
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Self

_GENERIC = 16  # NETLINK_GENERIC
_CONTROL, _GET_FAMILY, _FAMILY_ID, _FAMILY_NAME = 0x10, 3, 1, 2
_ERROR, _DONE = 2, 3
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_NESTED, _KIND = 0x8000, 0x3FFF

_HEADER = struct.Struct("=IHHII")
_GENERIC_HEADER = struct.Struct("=BBH")
_ATTRIBUTE = struct.Struct("=HH")
_CODE = struct.Struct("=i")
_BODY = _HEADER.size + _GENERIC_HEADER.size
_LARGEST_ANSWER = 1 << 17


def attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute, padded to four bytes."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *attributes: bytes) -> bytes:
    """Return an attribute that is made of others."""
    return attribute(kind | _NESTED, b"".join(attributes))


def attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the value of each attribute.

    Raises:
        ValueError: One is cut short.
    """
    at = 0
    while at + _ATTRIBUTE.size <= len(body):
        size, kind = _ATTRIBUTE.unpack_from(body, at)
        if size < _ATTRIBUTE.size or at + size > len(body):
            raise ValueError("an attribute of netlink was cut short")
        yield kind & _KIND, body[at + _ATTRIBUTE.size : at + size]
        at += size + -size % 4


class GenericNetlink:
    """A conversation with a part of the kernel. It blocks; use it as a context.

    Args:
        family: The name of that part.
        limit: Seconds that the kernel may be silent.

    Raises:
        OSError: The kernel has no such part (ENOENT), or does not talk.
    """

    def __init__(self, family: str, limit: float = 10.0) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _GENERIC)
        self._sequence = 0
        try:
            self._socket.settimeout(limit)
            self._socket.bind((0, 0))
            self._family = self._resolve(family)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def tell(self, command: int, body: bytes) -> None:
        """Send a command and wait until it is done.

        Raises:
            OSError: The kernel refuses it, or does not answer.
        """
        for _ in self._exchange(self._family, command, body, _ACK):
            pass

    def ask(self, command: int, body: bytes) -> list[bytes]:
        """Return the attributes of all messages that answer a command.

        Raises:
            OSError: The kernel refuses it, or does not answer.
        """
        return list(self._exchange(self._family, command, body, _DUMP))

    def _resolve(self, family: str) -> int:
        name = attribute(_FAMILY_NAME, family.encode() + b"\0")
        (answer,) = self._exchange(_CONTROL, _GET_FAMILY, name, _ACK)
        return int.from_bytes(dict(attributes(answer))[_FAMILY_ID], sys.byteorder)

    def _exchange(self, family: int, command: int, body: bytes, flags: int) -> Iterator[bytes]:
        self._sequence += 1
        header = _HEADER.pack(_BODY + len(body), family, _REQUEST | flags, self._sequence, 0)
        self._socket.send(header + _GENERIC_HEADER.pack(command, 1, 0) + body)
        while True:
            for kind, answer in _messages(self._socket.recv(_LARGEST_ANSWER), self._sequence):
                if kind in {_ERROR, _DONE}:
                    # Both begin with the number of an error, negative, 0 for none.
                    if code := -_CODE.unpack_from(answer)[0]:
                        raise OSError(code, os.strerror(code))
                    return
                yield answer[_GENERIC_HEADER.size :]


def _messages(datagram: bytes, sequence: int) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(datagram):
        size, kind, _flags, number, _port = _HEADER.unpack_from(datagram, at)
        if number == sequence:
            yield kind, datagram[at + _HEADER.size : at + size]
        at += size + -size % 4
