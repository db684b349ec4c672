"""A provider on a real engine, and templates for it."""

from pathlib import Path

import pytest

from tests.real.docker.bench import Bench
from tests.real.dockerd import Dockerd


@pytest.fixture
async def bench(dockerd: Dockerd, tmp_path: Path):
    """A provider and its templates on the engine that all tests share; nothing of it stays there."""
    made = Bench(dockerd, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def fragile(fragile_dockerd: Dockerd, tmp_path: Path):
    """Likewise, on an engine that the test may kill."""
    made = Bench(fragile_dockerd, tmp_path)
    yield made
    if not fragile_dockerd.answers():
        fragile_dockerd.restart()
    await made.close()
