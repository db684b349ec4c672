"""A gate that has started, between a VPN server and a kernel that are not there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.gate.fakes import Bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path / "state", subnet="10.66.0.0/29")
    await made.gate.start()
    yield made
    made.state.close()
