"""The connection to the engine: few requests at once, each with a time limit, every error in the contract's words."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import IO, Any, TypeVar

import aiohttp
from aiodocker import Docker
from aiodocker.exceptions import DockerError

from chatsubo.providers.docker.config import Api
from chatsubo.providers.docker.errors import CAUGHT, UNREACHABLE, meaning, refused, translate
from chatsubo.providers.exc import AccessRefused, BackendConnectionException, Misconfigured, ProviderError

T = TypeVar("T")

CONNECT_LIMIT = 10.0
PROBE = 1.0
"""Seconds that an engine may take to say that it refuses our certificate."""
GRACE = 15.0
"""Seconds that a request which changes something may go on after its caller was cancelled."""


class Engine:
    """An engine's API. It connects when it is first asked, and again after the engine was away.

    Args:
        name: The provider, as ``kind/name``, for errors.
        api: Where the engine is.
        limit: Requests in flight at once.
        timeout: Seconds for one answer.

    Attributes:
        sent: How many requests were sent so far.
    """

    def __init__(self, name: str, api: Api, *, limit: int, timeout: float) -> None:
        self.name = name
        self._api = api
        self._timeout = timeout
        self._slots = asyncio.Semaphore(limit)
        self.sent = 0
        self._connecting = asyncio.Lock()
        self._docker: Docker | None = None
        self._connector: aiohttp.BaseConnector | None = None

    async def ask(self, work: Callable[[Docker], Awaitable[T]], *, limit: float | None = None) -> T:
        """Return what ``work`` gets from the engine.

        Args:
            work: Asks for one thing.
            limit: Seconds that it may take, if not the configured ones.

        Raises:
            ProviderError: As the engine answers.
        """
        async with self._slots:
            docker = await self._connect()
            self.sent += 1
            try:
                async with asyncio.timeout(limit or self._timeout):
                    return await work(docker)
            except CAUGHT as error:
                raise await self._translate(error) from None

    async def change(self, work: Callable[[Docker], Awaitable[T]], *, limit: float | None = None) -> T:
        """Return what ``work`` gets from the engine, where it changes something there.

        A cancelled caller still waits for the answer, so that nobody removes what is only about to be made.

        Raises:
            ProviderError: As the engine answers.
        """
        task = asyncio.ensure_future(self.ask(work, limit=limit))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            done, _ = await asyncio.wait({task}, timeout=GRACE)
            task.cancel()
            for one in done:
                one.exception()
            raise

    async def stream(
        self, path: str, params: Mapping[str, str], archive: IO[bytes] | None = None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the messages of a long request: a build, a pull, a wait. Closing this ends the work on the engine.

        It is none of the few requests in flight: for most of its time the engine has nothing to do for it.

        Args:
            path: Of the API, without its version.
            params: The query.
            archive: A tar archive to send.

        Raises:
            ProviderError: As the engine answers, also in the middle of its messages.
        """
        docker = await self._connect()
        try:
            if docker.api_version == "auto":
                await self.ask(lambda one: one.version())
            url = f"{docker.docker_host}/{docker.api_version}/{path}"
            limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_LIMIT)
            headers = {"Content-Type": "application/x-tar"} if archive else {}
            self.sent += 1
            async with docker.session.post(url, params=params, data=archive, headers=headers, timeout=limits) as answer:
                if answer.status >= 400:  # noqa: PLR2004
                    raise meaning(answer.status, _message(await answer.read()), self.name)
                async for message in _messages(answer):
                    yield message
        except ProviderError:
            raise
        except CAUGHT as error:
            raise await self._translate(error) from None

    async def close(self) -> None:
        """Close the connections; the next request makes new ones."""
        docker, connector = self._docker, self._connector
        self._docker = self._connector = None
        if docker is not None:
            await docker.close()
        if connector is not None:
            await connector.close()

    async def _connect(self) -> Docker:
        async with self._connecting:
            if self._docker is None:
                try:
                    self._connector = await self._make_connector()
                except (ssl.SSLError, OSError, ValueError) as error:
                    raise _unusable(self.name, error) from None
                limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_LIMIT)
                url = self._api.url if self._api.unix_socket is None else "unix://localhost"
                self._docker = Docker(url, connector=self._connector, timeout=limits)
            return self._docker

    async def _make_connector(self) -> aiohttp.BaseConnector:
        if self._api.unix_socket is not None:
            return aiohttp.UnixConnector(self._api.unix_socket, limit=0)
        context = await asyncio.to_thread(_tls_context, self._api) if self._api.tls else False
        return aiohttp.TCPConnector(ssl=context, limit=0)

    async def _refusal(self) -> ProviderError | None:
        """Return the error, if the engine closes our connection because of our certificate.

        In TLS 1.3 it says so only after the handshake, and what we sent by then can make the connection break before we
        read why. So nothing is sent here: an engine that takes our certificate waits for us, any other tells.
        """
        host = self._api.host
        assert host is not None
        try:
            async with asyncio.timeout(PROBE):
                context = await asyncio.to_thread(_tls_context, self._api)
                reader, writer = await asyncio.open_connection(host.name, host.port or self._api.port, ssl=context)
                try:
                    await reader.read(1)
                finally:
                    writer.transport.abort()
        except ssl.SSLError as error:
            return refused(self.name, error.reason) if "ALERT" in (error.reason or "") else None
        except (OSError, TimeoutError):
            return None
        return None

    async def _translate(self, error: BaseException) -> ProviderError:
        translated = translate(error, self.name)
        if isinstance(translated, BackendConnectionException) and self._api.client is not None:
            translated = await self._refusal() or translated
        answered = isinstance(error, DockerError) and error.status != UNREACHABLE
        if isinstance(translated, AccessRefused | Misconfigured) and not answered:
            # The certificates may be renewed meanwhile: the next request reads them again.
            await self.close()
        return translated


def _tls_context(api: Api) -> ssl.SSLContext:
    assert api.client is not None
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(api.client.ca))
    context.load_cert_chain(str(api.client.cert), str(api.client.key))
    return context


def _unusable(name: str, error: Exception) -> ProviderError:
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "unreadable"
        return Misconfigured(
            f"{name}: the certificates of api.client cannot be used ({reason}): cert, key and ca must fit"
        )
    return Misconfigured(f"{name}: the certificates of api.client cannot be read: {error}")


async def _messages(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    rest = b""
    async for piece in answer.content.iter_any():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.strip():
                yield json.loads(line)
    if rest.strip():
        yield json.loads(rest)


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:500]
