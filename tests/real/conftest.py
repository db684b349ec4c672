"""Servers that several real tests share."""

from collections.abc import Iterator

import pytest

from tests.needs import need
from tests.real.dockerd import Dockerd

_DOCKER = need.dockerd


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips, with its reason, each test that asks for an engine where none can be started."""
    for item in items:
        if {"dockerd", "fragile_dockerd"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(_DOCKER)


@pytest.fixture(scope="session")
def dockerd() -> Iterator[Dockerd]:
    """A Docker Engine with the images ``alpine`` and ``ubuntu``, for all tests of a run; leave it as it was."""
    yield from _engine()


@pytest.fixture(scope="module")
def fragile_dockerd() -> Iterator[Dockerd]:
    """A Docker Engine for the tests of one file, which may kill it and start it again."""
    yield from _engine()


def _engine() -> Iterator[Dockerd]:
    engine = Dockerd()
    try:
        engine.start()
        for tag in ("alpine:latest", "ubuntu:latest"):
            engine.make_base_image(tag)
        yield engine
    finally:
        engine.remove()
