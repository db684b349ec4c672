"""The client of a gate's HTTP API, as old gates speak it and new ones do too."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from chatsubo.config.models import Gate
from chatsubo.gates.answers import MOST, MOST_PLACES, Connection, Health, Reach
from chatsubo.gates.errors import GateError, OldGate, PictureRefused, RealmFull, TokenRefused

LIMIT_SECONDS = 10.0
MOST_BYTES = 1_000_000
MOST_PEERS_BYTES = 20_000_000
FULL = "realm is full"
_VERSIONED = "/api/v1"
_REFUSED = "the gate refuses our token (status 401)"
_UNKNOWN = {httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED, httpx.codes.NOT_IMPLEMENTED}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


class GateClient:
    """Asks one gate.

    Args:
        gate: Where it is, and what it knows us by.
        http: Makes the requests.
        limit: Seconds that a call may take in all.
    """

    def __init__(self, gate: Gate, http: httpx.AsyncClient, limit: float = LIMIT_SECONDS) -> None:
        self.gate = gate
        self._http = http
        self._limit = limit

    async def config(self, gate_name: str) -> str:
        """Return a player's VPN configuration: always the same for the same player.

        Args:
            gate_name: What gates call the player: ``[A-Za-z0-9_-]{1,32}``, since some put it into a command line.

        Raises:
            GateError: If the gate is away, refuses us, or does not give one.
            RealmFull: If it has no place left.
        """
        path = self.gate.endpoints.config.replace(":username", _checked(gate_name))
        return self._config(*await self._ask("GET", path))

    def _config(self, status: int, answer: Any) -> str:
        errors = _errors(answer)
        if any(FULL in error.lower() for error in errors):
            raise RealmFull("; ".join(errors), realm=self.gate.realm)
        config = answer.get("config") if isinstance(answer, dict) else None
        if status != httpx.codes.OK or not isinstance(config, str) or not config.strip():
            raise self._error(_reason(status, errors) or "the answer holds no config")
        return config

    async def check(self) -> None:
        """Ask the gate how it is.

        Raises:
            GateError: Unless it is well.
        """
        status, answer = await self._ask("GET", self.gate.endpoints.check)
        if reason := _reason(status, _errors(answer)):
            raise self._error(reason)

    async def health(self) -> Health | None:
        """Return how the gate is; ``None`` if it is an old one, which cannot say more than :meth:`check` asks for.

        Raises:
            GateError: If it is away, refuses us, or says what cannot be.
        """
        status, answer = await self._ask("GET", f"{_VERSIONED}/health")
        if status in _UNKNOWN:
            return None
        self._must_be_well(status, answer)
        try:
            found = msgspec.convert(answer, Health)
        except msgspec.ValidationError:
            return None  # something in front of an old gate that answers every path
        if max(found.places, found.free, found.peers) > MOST_PLACES or found.picture > MOST:
            raise self._error("how the gate is cannot be: a number is too large")
        return found

    async def online(self) -> dict[str, Connection]:
        """Return who is connected, by name.

        Raises:
            GateError: If the gate does not say.
        """
        status, body = await self._fetch("GET", f"{_VERSIONED}/peers?online=true", most=MOST_PEERS_BYTES)
        if not httpx.codes.is_success(status):
            self._must_be_well(status, _decoded(body) if len(body) <= MOST_BYTES else None)
        try:
            # As what it has to be: to read megabytes of something else holds everybody up for seconds.
            peers = msgspec.json.decode(body, type=list[Connection])
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise self._error(f"the list of peers is not understood: {str(error)[:200]}") from None
        return {one.name: one for one in peers if one.online}

    async def renew(self, gate_name: str) -> str:
        """Give a player new keys, and return the configuration with them; the old ones end at once.

        Raises:
            GateError: If the gate is away, refuses us, or does not give one.
            OldGate: If the gate cannot do that.
            RealmFull: If it has no place left, for a player who had none.
        """
        status, answer = await self._ask("POST", f"{_VERSIONED}/configs/{_checked(gate_name)}")
        if status not in _UNKNOWN:
            return self._config(httpx.codes.OK if status == httpx.codes.CREATED else status, answer)
        if await self.health() is None:
            raise OldGate(realm=self.gate.realm)
        return await self.config(gate_name)

    async def revoke(self, gate_name: str) -> None:
        """End a player's access at once; that there is none is well too.

        Raises:
            GateError: If the gate is away, refuses us, or fails.
        """
        status, answer = await self._ask("DELETE", f"{_VERSIONED}/peers/{_checked(gate_name)}")
        if status not in _UNKNOWN:
            self._must_be_well(status, answer)

    async def show(self, version: int, players: Mapping[str, Reach]) -> None:
        """Tell the gate who may reach what, whole.

        Args:
            version: Counts up; the gate takes none that is older than the one it holds.
            players: By the name that gates call a player; nobody else reaches anything.

        Raises:
            GateError: If the gate is away, refuses us, or fails.
            PictureRefused: If it holds a newer one.
        """
        body = msgspec.json.encode({"version": version, "players": players})
        status, answer = await self._ask("PUT", f"{_VERSIONED}/access", body)
        held = answer.get("version") if isinstance(answer, dict) else None
        if status == httpx.codes.CONFLICT and isinstance(held, int) and held <= MOST:
            raise PictureRefused(held)
        self._must_be_well(status, answer)

    def _must_be_well(self, status: int, answer: Any) -> None:
        if not httpx.codes.is_success(status):
            raise self._error(_reason(status, _errors(answer)))

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """Return the status and what the JSON of an answer holds; ``None`` where the body is something else."""
        status, answer = await self._fetch(method, path, body)
        return status, _decoded(answer)

    async def _fetch(
        self, method: str, path: str, body: bytes | None = None, most: int = MOST_BYTES
    ) -> tuple[int, bytes]:
        """Return the status and the body of an answer.

        Raises:
            GateError: If the gate is away, or answers without end.
            TokenRefused: If it does not know our token.
        """
        headers = {self.gate.header: self.gate.token.reveal(), "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with (
                asyncio.timeout(self._limit),
                self._http.stream(method, self.gate.url + path, headers=headers, content=body) as response,
            ):
                if response.status_code == httpx.codes.UNAUTHORIZED:
                    raise TokenRefused(f"{self.gate.url}: {_REFUSED}", realm=self.gate.realm)
                return response.status_code, await self._body(response, most)
        except TimeoutError:
            raise self._error(f"no answer within {self._limit:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
            # The text of a ValueError could quote the header with the token.
            reason = str(error) if isinstance(error, httpx.HTTPError) else ""
            raise self._error(f"{type(error).__name__} {reason}".strip()) from None

    async def _body(self, response: httpx.Response, most: int) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > most:
                raise self._error(f"the answer has more than {most} bytes")
        return bytes(body)

    def _error(self, detail: str) -> GateError:
        return GateError(f"{self.gate.url}: {detail}", realm=self.gate.realm)


def _checked(gate_name: str) -> str:
    if not _NAME.fullmatch(gate_name):
        raise ValueError(gate_name)
    return gate_name


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _errors(answer: Any) -> list[str]:
    errors = answer.get("errors") if isinstance(answer, dict) else None
    return [str(error)[:200] for error in errors[:10]] if isinstance(errors, list) else []


def _reason(status: int, errors: list[str]) -> str:
    """Return what the gate complains about; empty if it is content."""
    if status != httpx.codes.OK:
        return "; ".join([f"status {status}", *errors])
    return "; ".join(errors)
