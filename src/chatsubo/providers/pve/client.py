"""The connection to Proxmox: few requests in flight, each with a time limit, every error in the contract's words."""

import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from chatsubo.providers.exc import BackendConnectionException, Misconfigured, ProviderError
from chatsubo.providers.pve.config import PveConfig
from chatsubo.providers.pve.errors import CAUGHT, meaning, translate

CONNECT_LIMIT = 10.0
GRACE = 15.0
"""Seconds that a request which changes something may go on after its caller was cancelled."""
GOOD, REFUSED = 300, 400
"""Answers below the first are good; from the second on they say why not. Those between lead to another place."""
LARGEST = 64 * 1024 * 1024
"""Bytes of the largest answer that is read; ten thousand guests are listed in a tenth of it."""

Values = Mapping[str, str | int | bool | Sequence[str]]
"""Parameters of a request; a list is sent as one parameter several times."""


class Client:
    """The API of one node, which passes on what is meant for others. It connects when it is first asked.

    Args:
        name: The provider, as ``kind/name``, for errors.
        config: Where Proxmox is, who we are there, how many requests at once.

    Attributes:
        name: The provider, as ``kind/name``.
        sent: How many requests were sent so far.
    """

    def __init__(self, name: str, config: PveConfig) -> None:
        self.name = name
        self.sent = 0
        self._config = config
        self._slots = asyncio.Semaphore(config.max_in_flight)
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._connecting = asyncio.Lock()

    def __repr__(self) -> str:
        """Return which provider's it is; no token."""
        return f"<Client {self.name}>"

    async def get_object(self, path: str, values: Values | None = None) -> dict[str, Any]:
        """Return what Proxmox tells of one thing; empty where it has nothing to tell.

        Args:
            path: Of the API, as in ``/version``.
            values: The query.

        Raises:
            ProviderError: As Proxmox answers.
        """
        told = await self._ask("GET", path, values)
        if not isinstance(told, dict | None):
            raise BackendConnectionException(self.name, f"{path} is told as a {type(told).__name__}, not as an object")
        return told or {}

    async def get_rows(
        self, path: str, key: str, values: Values | None = None, *, maybe: bool = False
    ) -> list[dict[str, Any]]:
        """Return what Proxmox lists.

        Args:
            path: Of the API, as in ``/nodes``.
            key: What each row must have.
            values: The query.
            maybe: Whether there may be no list at all, which is an empty one then.

        Raises:
            ProviderError: As Proxmox answers.
        """
        told = await self._ask("GET", path, values)
        if told is None and maybe:
            return []
        if not isinstance(told, list) or not all(isinstance(one, dict) and key in one for one in told):
            raise BackendConnectionException(self.name, f"{path} is told as no list of what has a {key}")
        return told

    async def change(self, method: str, path: str, values: Values | None = None) -> Any:
        """Change something and return the answer: mostly the id of a task.

        A cancelled caller still waits for the answer, so that nobody removes what is only about to be made.

        Args:
            method: ``POST``, ``PUT`` or ``DELETE``.
            path: Of the API.
            values: The parameters.

        Raises:
            ProviderError: As Proxmox answers.
        """
        task = asyncio.ensure_future(self._ask(method, path, values))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            done, _ = await asyncio.wait({task}, timeout=GRACE)
            task.cancel()
            for one in done:
                one.exception()
            raise

    async def aclose(self) -> None:
        """Close the connections, for good: what still runs in the background is refused."""
        self._closed = True
        await self._disconnect()

    async def _disconnect(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, method: str, path: str, values: Values | None) -> Any:
        async with self._slots:
            session = await self._connect()
            self.sent += 1
            try:
                async with asyncio.timeout(self._config.request_timeout):
                    return await self._exchange(session, method, path, _pairs(values))
            except CAUGHT as error:
                translated = translate(error, self.name)
                if isinstance(translated, Misconfigured):
                    # The certificates may be renewed meanwhile: the next request reads them again.
                    await self._disconnect()
                raise translated from None

    async def _exchange(
        self, session: aiohttp.ClientSession, method: str, path: str, pairs: list[tuple[str, str]]
    ) -> Any:
        in_query = method in ("GET", "DELETE")
        query, form = (pairs, None) if in_query else ([], aiohttp.FormData(pairs) if pairs else None)
        url = self._config.api.url + path
        # Not followed: the token is for this host alone.
        async with session.request(method, url, params=query, data=form, allow_redirects=False) as answer:
            return self._read(answer.status, answer.reason or "", await _body(answer))

    def _read(self, status: int, reason: str, body: bytes) -> Any:
        try:
            read = json.loads(body)
        except (ValueError, RecursionError) as error:
            if status < REFUSED:
                raise ValueError("an answer that is not JSON") from error
            # A refusal (401) and the errors of older versions are in the reason phrase alone.
            read = {}
        if status >= REFUSED:
            raise self._error(status, reason, read if isinstance(read, dict) else {})
        if status >= GOOD or not isinstance(read, dict) or "data" not in read:
            raise ValueError("an answer of something else")
        return read["data"]

    def _error(self, status: int, reason: str, read: Mapping[str, Any]) -> ProviderError:
        said = str(read.get("message") or "").strip() or reason
        errors = read.get("errors")
        fields = {str(key): str(why) for key, why in errors.items()} if isinstance(errors, dict) else None
        return meaning(status, said, self.name, fields)

    async def _connect(self) -> aiohttp.ClientSession:
        async with self._connecting:
            if self._closed:
                raise BackendConnectionException(self.name, "the provider is closed")
            if self._session is None:
                api = self._config.api
                connector = aiohttp.TCPConnector(ssl=await asyncio.to_thread(self._tls), limit=0)
                self._session = aiohttp.ClientSession(
                    connector=connector,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_LIMIT),
                    headers={"Authorization": f"PVEAPIToken={api.token_id}={api.token.value.reveal()}"},
                    cookie_jar=aiohttp.DummyCookieJar(),
                )
            return self._session

    def _tls(self) -> ssl.SSLContext | bool:
        if not self._config.verify_ssl:
            return False
        ca = self._config.ca
        try:
            context = ssl.create_default_context(cafile=str(ca) if ca else None)
        except (ssl.SSLError, OSError) as error:
            raise Misconfigured(f"{self.name}: ca cannot be used as an authority's certificate: {error}") from None
        if ca:
            # Newer Pythons ask for extensions that the certificates of a cluster's own authority do not have.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > LARGEST:
            raise ValueError("an answer without an end")
    return bytes(body)


def _pairs(values: Values | None) -> list[tuple[str, str]]:
    pairs = []
    for key, value in (values or {}).items():
        if isinstance(value, bool):
            pairs.append((key, "1" if value else "0"))
        elif isinstance(value, str | int):
            pairs.append((key, str(value)))
        else:
            pairs += [(key, one) for one in value]
    return pairs
