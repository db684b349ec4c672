"""The platform's client, against a small independent server that answers as old gates were recorded to."""

import httpx
import pytest

from chatsubo.config.models import Endpoints, Gate
from chatsubo.config.secrets import Secret
from chatsubo.gates import GateClient, GateError, RealmFull
from tests.gates.recorded import Exchange, recording, replaying

FULL = {"wireguard": GateError, "openvpn": RealmFull}
"""What becomes of a full gate: the old WireGuard one does not say what is wrong with it."""


class Asked:
    """A client that knows what to ask from what was recorded, and the server that answers it."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self._url, self._http = url, http

    def client(self, exchange: Exchange, **endpoints: str) -> GateClient:
        """Return a client with the token, and its header, of an exchange."""
        ((header, token),) = exchange.headers.items()
        asked = Gate(realm="wz01", url=self._url, token=Secret(token), header=header, endpoints=Endpoints(**endpoints))
        return GateClient(asked, self._http, limit=60.0)

    async def config(self, exchange: Exchange) -> str:
        return await self.client(exchange).config(exchange.path.rsplit("/", 1)[1])

    async def check(self, exchange: Exchange) -> None:
        await self.client(exchange, check=exchange.path).check()


@pytest.mark.parametrize("kind", ["wireguard", "openvpn"])
async def test_an_old_gate_is_understood(kind: str) -> None:
    """One exchange after the other, as they were recorded; without a token the platform cannot ask."""
    told = [one for one in recording(kind) if one.title != "without a token"]
    well, slash, first, again, other, refused, unknown, full, unwell = told
    async with replaying(told) as (url, otherwise), httpx.AsyncClient(trust_env=False) as http:
        asked = Asked(url, http)

        await asked.check(well)
        await asked.check(slash)
        for given in (first, again, other):
            assert await asked.config(given) == given.said["config"]
        with pytest.raises(GateError, check=lambda error: "refuses our token" in error.detail):
            await asked.config(refused)
        assert await asked.client(unknown).health() is None
        with pytest.raises(FULL[kind]):
            await asked.config(full)
        with pytest.raises(GateError, check=lambda error: error.detail.endswith("; ".join(unwell.said["errors"]))):
            await asked.check(unwell)

    assert otherwise == []


async def test_a_gate_with_names_of_its_own_is_understood() -> None:
    well, first = told = recording("renamed")
    endpoints = {"config": "/gates/wz01/players/:username.conf", "check": "/gates/wz01/health"}
    async with replaying(told) as (url, otherwise), httpx.AsyncClient(trust_env=False) as http:
        asked = Asked(url, http)

        await asked.client(well, **endpoints).check()
        assert await asked.client(first, **endpoints).config("case") == first.said["config"]

    assert otherwise == []
