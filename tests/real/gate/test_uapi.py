"""The client of a device's socket, against servers that answer well, badly, late, or not at all."""

import asyncio
import errno
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from chatsubo.config import Secret
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.wireguard.device import PeerSetting
from chatsubo.gate.wireguard.netlink import GenericNetlink, attribute, attributes
from chatsubo.gate.wireguard.uapi import UapiDevice


def key(number: int) -> str:
    return b64encode(number.to_bytes(32, "big")).decode()


class Server:
    """Reads a request up to its blank line, answers with what a function says of it, and remembers it."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[str] = []
        self.answer: Callable[[str], Awaitable[bytes]]
        self.says(b"errno=0\n\n")
        self.folder = folder

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\n\n")).decode()
            self.requests.append(request)
            writer.write(await self.answer(request))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def says(self, answer: bytes) -> None:
        async def say(_request: str) -> bytes:
            return answer

        self.answer = say


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    made = Server(tmp_path)
    listening = await asyncio.start_unix_server(made.serve, tmp_path / "wg0.sock", limit=1 << 24)
    yield made
    listening.close()
    await listening.wait_closed()


@pytest.fixture
def device(server: Server) -> UapiDevice:
    return UapiDevice("wg0", server.folder)


async def test_a_key_and_a_port_are_set(server: Server, device: UapiDevice) -> None:
    await device.configure(private=Secret(key(255)), port=51820)
    assert server.requests == [f"set=1\nprivate_key={255:064x}\nlisten_port=51820\n\n"]


async def test_a_peer_is_set_and_the_others_stay(server: Server, device: UapiDevice) -> None:
    await device.put([PeerSetting(public=key(1), preshared=Secret(key(2)), allowed=frozenset({"10.66.0.2/32"}))])
    assert server.requests == [
        f"set=1\npublic_key={1:064x}\npreshared_key={2:064x}\nreplace_allowed_ips=true\nallowed_ip=10.66.0.2/32\n\n"
    ]


async def test_a_peer_without_a_preshared_key_loses_one_that_it_had(server: Server, device: UapiDevice) -> None:
    await device.put([PeerSetting(public=key(1), preshared=None, allowed=frozenset())])
    assert f"preshared_key={0:064x}\n" in server.requests[0]


async def test_a_peer_is_removed_and_not_made_for_it(server: Server, device: UapiDevice) -> None:
    await device.take([key(1)])
    assert server.requests == [f"set=1\npublic_key={1:064x}\nupdate_only=true\nremove=true\n\n"]


async def test_many_are_told_in_batches_and_nobody_is_lost(server: Server, device: UapiDevice) -> None:
    await device.put([PeerSetting(public=key(n), preshared=None, allowed=frozenset()) for n in range(1, 1202)])
    await device.take(key(n) for n in range(1, 1202))
    assert len(server.requests) == 6
    assert sum(request.count("public_key=") for request in server.requests) == 2402


async def test_for_nobody_nothing_is_sent(server: Server, device: UapiDevice) -> None:
    await device.put([])
    await device.take([])
    assert server.requests == []


async def test_a_long_answer_is_read_whole(server: Server, device: UapiDevice) -> None:
    peers = "".join(f"public_key={n:064x}\nrx_bytes={n}\n" for n in range(1, 5001))
    server.says(f"listen_port=5\n{peers}errno=0\n\n".encode())
    state = await device.state()
    assert state.port == 5
    assert [peer.received for peer in state.peers.values()] == list(range(1, 5001))


async def test_only_peers_that_exchanged_keys_are_used(server: Server, device: UapiDevice) -> None:
    seconds = (0, 1_700_000_000, None)
    lines = ["" if one is None else f"last_handshake_time_sec={one}\n" for one in seconds]
    peers = "".join(f"public_key={number:064x}\n{line}" for number, line in enumerate(lines, 1))
    server.says(f"{peers}errno=0\n\n".encode())
    assert list(await device.used()) == [key(2)]


@pytest.mark.parametrize(
    ("number", "said"),
    [(-errno.EADDRINUSE, "UDP port of the gate is taken"), (-errno.EINVAL, os.strerror(errno.EINVAL)), (5, "error")],
)
async def test_the_number_of_an_error_is_told(server: Server, device: UapiDevice, number: int, said: str) -> None:
    server.says(f"errno={number}\n\n".encode())
    with pytest.raises(TunnelError, match=said):
        await device.configure(port=1)


@pytest.mark.parametrize("answer", [b"", b"listen_port=5\n", b"errno=0", b"errno=\n\n", b"hello\n\n"])
async def test_half_an_answer_is_an_error(server: Server, device: UapiDevice, answer: bytes) -> None:
    server.says(answer)
    with pytest.raises(TunnelError, match="hung up before"):
        await device.state()


async def test_nonsense_is_an_error(server: Server, device: UapiDevice) -> None:
    server.says(b"listen_port=abc\nerrno=0\n\n")
    with pytest.raises(TunnelError, match="no state of WireGuard"):
        await device.state()


async def test_a_server_that_refuses_early_is_heard(tmp_path: Path) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"errno=-22\n\n")
        writer.close()

    listening = await asyncio.start_unix_server(refuse, tmp_path / "wg0.sock", limit=16)
    try:
        with pytest.raises(TunnelError, match=r"refused what it was told|hung up before"):
            await UapiDevice("wg0", tmp_path).take(key(n) for n in range(500))
    finally:
        listening.close()
        await listening.wait_closed()


async def test_a_server_that_is_silent_is_given_up(server: Server) -> None:
    silent = asyncio.Event()

    async def nothing(_request: str) -> bytes:
        await silent.wait()
        return b""

    server.answer = nothing
    with pytest.raises(TunnelError, match=r"did not answer within 0\.2 s"):
        await UapiDevice("wg0", server.folder, limit=0.2).state()
    silent.set()


async def test_a_socket_that_is_not_there_or_that_nobody_listens_on_is_an_error(tmp_path: Path) -> None:
    device = UapiDevice("wg0", tmp_path)
    assert not await device.answers()
    with pytest.raises(TunnelError, match=r"wg0\.sock does not answer: No such file"):
        await device.state()
    listening = await asyncio.start_unix_server(lambda _r, w: w.close(), tmp_path / "wg0.sock")
    assert await device.answers()
    listening.close()
    await listening.wait_closed()
    assert not await device.answers()
    with pytest.raises(TunnelError, match="does not answer: Connection refused"):
        await device.state()


def test_the_kernel_is_asked_over_generic_netlink() -> None:
    # Its own directory is the one part that every kernel has.
    with GenericNetlink("nlctrl") as kernel:
        name = 2
        parts = [dict(attributes(answer))[name] for answer in kernel.ask(3, b"")]
        assert b"nlctrl\0" in parts
        with pytest.raises(OSError, match=os.strerror(errno.ENOENT)):
            kernel.tell(3, attribute(name, b"chatsubo\0"))


def test_a_part_that_the_kernel_has_not_is_an_error() -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENOENT)):
        GenericNetlink("chatsubo")
