"""Which address a new machine gets, on networks of any size."""

import sys
from pathlib import Path
from typing import Any

import pytest

from chatsubo.providers.exc import NoCapacity
from chatsubo.testing import load_plugin

PACKAGE = load_plugin(Path(__file__).parents[1]).__module__.rpartition(".")[0]
hypervisor: Any = sys.modules[f"{PACKAGE}.hypervisor"]


async def free(monkeypatch: pytest.MonkeyPatch, subnet: str, *taken: str) -> str:
    """Return the address for one machine more on a network where these are taken."""
    made = hypervisor.Podman(Path("/nowhere"), "boxes")
    machines = [hypervisor.Machine(one, [one], "running", {hypervisor.ADDRESS: one}) for one in taken]

    async def get(path: str, *_: object, **__: object) -> Any:
        return machines if path.startswith("/containers") else {"subnets": [{"subnet": subnet}]}

    monkeypatch.setattr(made, "_get", get)
    address: str = await made._free_address()  # noqa: SLF001  a listing tells no addresses
    return address


async def test_every_address_but_the_gateways_is_given_until_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one is the gateway's, and the last one everybody's."""
    given: list[str] = []
    for _ in range(5):
        given.append(await free(monkeypatch, "10.66.0.0/29", *given))
    assert sorted(given) == [f"10.66.0.{last}" for last in range(2, 7)]
    with pytest.raises(NoCapacity):
        await free(monkeypatch, "10.66.0.0/29", *given)


@pytest.mark.parametrize(("subnet", "begins"), [("10.0.0.0/8", "10."), ("fd00:66::/64", "fd00:66::")])
async def test_a_large_network_is_not_counted_out(monkeypatch: pytest.MonkeyPatch, subnet: str, begins: str) -> None:
    """A list of all its addresses would fill the memory."""
    assert (await free(monkeypatch, subnet, f"{begins}2")).startswith(begins[:4])
