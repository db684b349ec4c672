"""The guard of this folder, which every other unit test relies on."""

import asyncio
import socket

import pytest


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize("method", ["connect", "connect_ex", "bind"])
def test_the_network_is_out_of_reach(family: socket.AddressFamily, method: str) -> None:
    address = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.socket(family) as sock, pytest.raises(RuntimeError, match=method):
        getattr(sock, method)((address, 9))


def test_names_are_not_looked_up() -> None:
    with pytest.raises(RuntimeError, match="getaddrinfo"):
        socket.create_connection(("localhost", 9))


async def test_asyncio_cannot_go_around_the_guard() -> None:
    with pytest.raises(RuntimeError, match=r"connect|getaddrinfo"):
        await asyncio.open_connection("127.0.0.1", 9)


async def test_what_asyncio_needs_for_itself_goes_on_working() -> None:
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    await asyncio.to_thread(loop.call_soon_threadsafe, done.set_result, "heard")
    assert await done == "heard"
