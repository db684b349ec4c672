"""The proxy of the kit spoils a conversation in each of its ways, and goes back to passing it on."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chatsubo.testing import Proxy
from chatsubo.testing.kit import Mood

ANSWER = b'{"machines": ["grey", "blue", "green", "red"]}'


class Hypervisor(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the signature is the library's
        pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hypervisor)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with Proxy(f"127.0.0.1:{server.server_port}") as made:
        yield made
    server.shutdown()
    server.server_close()
    thread.join()


def ask(proxy: Proxy, limit: float = 5) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=limit)
    try:
        connection.request("GET", "/machines")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_it_passes_answers_on_and_counts_requests(proxy: Proxy) -> None:
    assert ask(proxy) == (200, ANSWER)
    assert proxy.requests == 1


def test_one_that_is_away_refuses_connections_and_comes_back_at_its_port(proxy: Proxy) -> None:
    port = proxy.port
    proxy.away()
    with pytest.raises(ConnectionRefusedError):
        ask(proxy)
    proxy.back()
    assert (proxy.port, ask(proxy)) == (port, (200, ANSWER))


def test_one_that_goes_away_keeps_nobody_waiting_who_came_just_then(proxy: Proxy) -> None:
    proxy._loop.call_soon_threadsafe(time.sleep, 0.3)  # what happens meanwhile comes at once
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as asking:
        asking.sendall(b"GET /machines HTTP/1.1\r\nHost: here\r\n\r\n")
        proxy.away()
        with suppress(ConnectionResetError):  # as good as an end
            assert asking.recv(4096) == b""


def test_one_that_refuses_answers_403(proxy: Proxy) -> None:
    proxy.become(Mood.REFUSE)
    assert ask(proxy)[0] == 403


def test_one_that_garbles_answers_a_page_with_success(proxy: Proxy) -> None:
    proxy.become(Mood.GARBLE)
    status, body = ask(proxy)
    assert status == 200
    assert body.startswith(b"<html>")
    assert body.endswith(b"</html>")


def test_one_that_hangs_answers_nothing(proxy: Proxy) -> None:
    proxy.become(Mood.HANG)
    with pytest.raises(TimeoutError):
        ask(proxy, limit=0.3)


def test_one_that_is_slow_answers_all_the_same(proxy: Proxy) -> None:
    proxy.become(Mood.SLOW)
    began = time.monotonic()
    assert ask(proxy) == (200, ANSWER)
    assert time.monotonic() - began >= 0.5


def test_one_that_halves_breaks_off(proxy: Proxy) -> None:
    proxy.become(Mood.HALVE)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        ask(proxy)
    proxy.back()
    assert ask(proxy) == (200, ANSWER)


def test_it_listens_on_a_unix_socket_too(proxy: Proxy, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with Proxy(f"127.0.0.1:{proxy.port}", path), socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(path))
        asking.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while piece := asking.recv(4096):
            answer += piece
    assert answer.endswith(ANSWER)
    assert not path.exists()
