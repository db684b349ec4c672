"""A fake cluster for each test, on a port of its own; what breaks the API's schema fails the test."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from fakepve.certs import make_cert

from chatsubo.providers.pve import PveProvider
from tests.pve import cluster
from tests.pve.fake import RealisticPve


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The certificate and the key of every fake."""
    certfile, keyfile, _ = make_cert(str(tmp_path_factory.mktemp("pve")), hosts=("127.0.0.1",))
    return certfile, keyfile


@pytest.fixture
def ca(certificate: tuple[str, str]) -> Path:
    """The authority that signed it: itself."""
    return Path(certificate[0])


@pytest.fixture
async def pve(certificate: tuple[str, str]) -> AsyncIterator[RealisticPve]:
    """A cluster without guests."""
    fake = RealisticPve()
    await fake.start(*certificate)
    yield fake
    await fake.stop()
    assert fake.violations == []


@pytest.fixture
async def make_provider(pve: RealisticPve, ca: Path) -> AsyncIterator[Callable[..., PveProvider]]:
    """Makes providers for the fake, and closes them."""
    made: list[PveProvider] = []

    def make(**changes: Any) -> PveProvider:
        made.append(cluster.make(pve, str(ca), **changes))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


@pytest.fixture
def lab(pve: RealisticPve) -> RealisticPve:
    """A cluster with a template, whose clones have an agent."""
    cluster.boot_with_agent(pve)
    cluster.add_template(
        pve, 100, cluster.HELLO, config={"tags": "ctf", "net1": "virtio=BC:24:11:00:00:09,bridge=vmbr7"}
    )
    return pve


@pytest.fixture
def provider(make_provider: Callable[..., PveProvider]) -> PveProvider:
    """A provider that makes clones."""
    return make_provider(dynamic=cluster.dynamic())
