"""The whole way: TLS to a reverse proxy, plain HTTP from there, and a path prefix."""

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.real.certificates import Authority
from tests.web.served import PASSWORD, Served, served


class Proxy:
    """A reverse proxy with TLS: adds who asks, and passes the rest on as it is. One request per connection."""

    def __init__(self, target: int) -> None:
        self._target = target

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        head = await reader.readuntil(b"\r\n")
        added = b"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n"
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
        to_server.write(head + added)
        ways = {
            asyncio.create_task(_copy(reader, to_server)),
            asyncio.create_task(_copy(from_server, writer)),
        }
        _, pending = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in pending:
            way.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for end in (to_server, writer):
            end.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()


@asynccontextmanager
async def _proxied(server: Served, authority: Authority) -> AsyncIterator[int]:
    certificate, key = authority.issue("proxy", hosts=["localhost"], server=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    proxy = await asyncio.start_server(Proxy(server.port), "127.0.0.1", 0, ssl=context)
    try:
        yield proxy.sockets[0].getsockname()[1]
    finally:
        proxy.close()


async def test_a_player_plays_through_a_proxy_with_tls_below_a_prefix(empty_database: Path, tmp_path: Path) -> None:
    database = Path(shutil.copy(empty_database, tmp_path / "served.db"))
    authority = Authority(tmp_path / "ca")
    trust = ssl.create_default_context(cafile=str(authority.ca))
    async with (
        served(database, proxies="127.0.0.1", public_url="https://localhost/ctf") as server,
        _proxied(server, authority) as port,
        httpx.AsyncClient(base_url=f"https://localhost:{port}/ctf", verify=trust, trust_env=False) as browser,
    ):
        csrf = (await browser.get("/api/v1/csrf")).json()["token"]
        headers = {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "same-origin"}
        login = await browser.post("/api/v1/login", json={"username": "case", "password": PASSWORD}, headers=headers)
        logins = (await browser.get("/api/v1/me/logins")).json()

        assert login.status_code == 200, login.text
        assert {cookie.name: cookie.path for cookie in browser.cookies.jar} == {
            "__Secure-chatsubo": "/ctf",
            "__Secure-chatsubo-csrf": "/ctf",
        }
        assert [one["address"] for one in logins if one["current"]] == ["203.0.113.7"]
        assert (await browser.get(f"https://localhost:{port}/metrics")).status_code == 404
        assert (await browser.get("/metrics")).status_code == 403

        async with browser.stream("GET", "/live") as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == ": chatsubo"
            await server.publish("boxes")
            async with asyncio.timeout(60):
                async for line in lines:
                    if line == "event: boxes":
                        break
