"""The client of a gate's HTTP API, as old gates speak it and new ones do too."""

import asyncio
import json
import re
from typing import Any
from urllib.parse import quote

import httpx

from chatsubo.config.models import Gate
from chatsubo.gates.errors import GateError, RealmFull

LIMIT_SECONDS = 10.0
MOST_BYTES = 1_000_000
FULL = "realm is full"
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
        if not _NAME.fullmatch(gate_name):
            raise ValueError(gate_name)
        path = self.gate.endpoints.config.replace(":username", quote(gate_name, safe=""))
        status, answer = await self._get(path)
        errors = _errors(answer)
        if any(FULL in error.lower() for error in errors):
            raise RealmFull("; ".join(errors), realm=self.gate.realm)
        config = answer.get("config")
        if status != httpx.codes.OK or not isinstance(config, str) or not config.strip():
            raise self._error(_reason(status, errors) or "the answer holds no config")
        return config

    async def check(self) -> None:
        """Ask the gate how it is.

        Raises:
            GateError: Unless it is well.
        """
        status, answer = await self._get(self.gate.endpoints.check)
        if reason := _reason(status, _errors(answer)):
            raise self._error(reason)

    async def _get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON object of an answer; an empty one where the body is something else."""
        headers = {self.gate.header: self.gate.token.reveal(), "Accept": "application/json"}
        try:
            async with (
                asyncio.timeout(self._limit),
                self._http.stream("GET", self.gate.url + path, headers=headers) as response,
            ):
                return response.status_code, _object(await self._body(response))
        except TimeoutError:
            raise self._error(f"no answer within {self._limit:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
            # The text of a ValueError could quote the header with the token.
            reason = str(error) if isinstance(error, httpx.HTTPError) else ""
            raise self._error(f"{type(error).__name__} {reason}".strip()) from None

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                raise self._error(f"the answer has more than {MOST_BYTES} bytes")
        return bytes(body)

    def _error(self, detail: str) -> GateError:
        return GateError(f"{self.gate.url}: {detail}", realm=self.gate.realm)


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _errors(answer: dict[str, Any]) -> list[str]:
    errors = answer.get("errors")
    return [str(error)[:200] for error in errors[:10]] if isinstance(errors, list) else []


def _reason(status: int, errors: list[str]) -> str:
    """Return what the gate complains about; empty if it is content."""
    if status == httpx.codes.UNAUTHORIZED:
        return "the gate refuses our token (status 401)"
    if status != httpx.codes.OK:
        return "; ".join([f"status {status}", *errors])
    return "; ".join(errors)
