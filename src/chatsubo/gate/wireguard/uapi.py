"""WireGuard's cross-platform interface: text over the Unix socket of a device (https://www.wireguard.com/xplatform/)."""

import asyncio
import errno
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

from chatsubo.config import Secret
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.wireguard.device import DeviceState, PeerSetting, PeerState

SOCKETS = Path("/var/run/wireguard")
"""Where devices in user space have their sockets, as ``INTERFACE.sock``."""

_NONE = "0" * 64
# A batch takes some 20 ms, and a peer that is added meanwhile waits no longer than that.
_BATCH = 500
_CHUNK = 1 << 18
_NANOSECOND = 1e-9
_UNUSED = "\nlast_handshake_time_sec=0\n"


class UapiDevice:
    """A device whose process listens on a Unix socket.

    Args:
        interface: Its name.
        sockets: The folder with the socket.
        limit: Seconds that one exchange may take.
    """

    def __init__(self, interface: str, sockets: Path = SOCKETS, limit: float = 20.0) -> None:
        self.path = sockets / f"{interface}.sock"
        self._limit = limit

    async def answers(self) -> bool:
        """Return whether somebody listens on the socket."""
        try:
            _, writer = await asyncio.wait_for(asyncio.open_unix_connection(self.path), self._limit)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    async def state(self) -> DeviceState:
        """See :meth:`Device.state`."""
        return await self._state()

    async def used(self) -> Mapping[str, PeerState]:
        """See :meth:`Device.used`."""
        found = (await self._state(used=True)).peers
        return {public: peer for public, peer in found.items() if peer.handshake is not None}

    async def configure(self, *, private: Secret | None = None, port: int | None = None) -> None:
        """See :meth:`Device.configure`."""
        lines = [] if private is None else [f"private_key={_hexadecimal(private.reveal())}"]
        await self._set(lines if port is None else [*lines, f"listen_port={port}"])

    async def put(self, peers: Sequence[PeerSetting]) -> None:
        """See :meth:`Device.put`."""
        for start in range(0, len(peers), _BATCH):
            await self._set(chain.from_iterable(map(_lines_to_put, peers[start : start + _BATCH])))

    async def take(self, publics: Iterable[str]) -> None:
        """See :meth:`Device.take`."""
        gone = list(publics)
        for start in range(0, len(gone), _BATCH):
            await self._set(chain.from_iterable(map(_lines_to_take, gone[start : start + _BATCH])))

    async def _state(self, *, used: bool = False) -> DeviceState:
        answer = await self._exchange("get=1\n\n")
        # That of 10,000 peers takes 60 ms, which nobody else could use; to leave out those that nobody uses takes 5.
        try:
            return await asyncio.to_thread(parse_state, answer, used=used)
        except ValueError as error:
            raise TunnelError(f"{self.path} answers with what is no state of WireGuard") from error

    async def _set(self, lines: Iterable[str]) -> None:
        await self._exchange("\n".join(("set=1", *lines, "", "")))

    async def _exchange(self, request: str) -> str:
        try:
            async with asyncio.timeout(self._limit):
                answer = await self._talk(request.encode())
        except TimeoutError:
            raise TunnelError(f"WireGuard at {self.path} did not answer within {self._limit:g} s") from None
        except OSError as error:
            raise TunnelError(f"WireGuard at {self.path} does not answer: {error.strerror}") from error
        return _checked(answer, self.path)

    async def _talk(self, request: bytes) -> str:
        reader, writer = await asyncio.open_unix_connection(self.path)
        answer = bytearray()
        try:
            # One that refuses a line hangs up before it read the rest, but says why first.
            with suppress(ConnectionError):
                writer.write(request)
                await writer.drain()
            with suppress(ConnectionError):
                while not answer.endswith(b"\n\n") and (chunk := await reader.read(_CHUNK)):
                    answer += chunk
        finally:
            writer.close()
        return answer.decode()


def _checked(answer: str, path: Path) -> str:
    """Return what comes before the number of the error, which ends every answer.

    Raises:
        TunnelError: The answer was cut short, or the number is not 0.
    """
    found, separator, number = answer.rstrip("\n").rpartition("errno=")
    if not separator or not answer.endswith("\n\n") or not number.lstrip("-").isdigit():
        raise TunnelError(f"WireGuard at {path} hung up before its answer was whole")
    if code := abs(int(number)):
        if code == errno.EADDRINUSE:
            raise TunnelError("the UDP port of the gate is taken by another program: end it, or set another port")
        raise TunnelError(f"WireGuard at {path} refused what it was told: {os.strerror(code)}")
    return found


def _hexadecimal(key: str) -> str:
    return b64decode(key).hex()


def _base64(key: str) -> str:
    return b64encode(bytes.fromhex(key)).decode()


def _secret(key: str) -> Secret | None:
    return None if key in {"", _NONE} else Secret(_base64(key))


def _lines_to_put(peer: PeerSetting) -> Iterable[str]:
    yield f"public_key={_hexadecimal(peer.public)}"
    yield f"preshared_key={_hexadecimal(peer.preshared.reveal()) if peer.preshared else _NONE}"
    yield "replace_allowed_ips=true"
    for allowed in peer.allowed:
        yield f"allowed_ip={allowed}"


def _lines_to_take(public: str) -> Iterable[str]:
    return f"public_key={_hexadecimal(public)}", "update_only=true", "remove=true"


def parse_state(answer: str, *, used: bool = False) -> DeviceState:
    """Return what the answer to ``get=1`` says; lines that are not known are left out.

    Args:
        answer: The answer.
        used: Whether peers that say that they never exchanged keys are left out.

    Raises:
        ValueError: A number or a key in it is none.
    """
    head, *blocks = f"\n{answer}".split("\npublic_key=")
    device = dict(line.partition("=")[::2] for line in head.splitlines())
    peers = map(_parse_peer, (block for block in blocks if not used or _UNUSED not in block))
    return DeviceState(
        private=_secret(device.get("private_key", "")),
        port=int(device.get("listen_port", "0")),
        peers={peer.setting.public: peer for peer in peers},
    )


def _parse_peer(block: str) -> PeerState:
    public, *lines = block.split("\n")
    allowed = [line[11:] for line in lines if line.startswith("allowed_ip=")]
    said = dict(line.split("=", 1) for line in lines if line)
    seconds = int(said.get("last_handshake_time_sec", "0"))
    fraction = int(said.get("last_handshake_time_nsec", "0")) * _NANOSECOND
    return PeerState(
        setting=PeerSetting(
            public=_base64(public), preshared=_secret(said.get("preshared_key", "")), allowed=frozenset(allowed)
        ),
        handshake=seconds + fraction if seconds else None,
        received=int(said.get("rx_bytes", "0")),
        sent=int(said.get("tx_bytes", "0")),
        endpoint=said.get("endpoint", ""),
    )
