"""Classic containers, as the engine lists them."""

from typing import Any

import pytest

from chatsubo.config import Host
from chatsubo.providers.base import NoProgress
from chatsubo.providers.docker.classic import MAKING, Classic
from chatsubo.providers.docker.config import Api, DockerConfig
from chatsubo.providers.exc import InstanceNotFound


class OneContainer:
    """An engine with one container."""

    def __init__(self, name: str, *, vanishes: bool = False) -> None:
        self.listed = [container_named("new", name)]
        self.vanishes = vanishes
        self.started: list[str] = []

    async def all(self) -> list[dict[str, Any]]:
        return self.listed

    async def rename(self, container: str, name: str) -> None:
        self.listed = [container_named(container, name)]

    async def start(self, container: str) -> None:
        self.started.append(container)
        if self.vanishes:
            self.listed.clear()


def container_named(identity: str, name: str) -> dict[str, Any]:
    """Return the engine's entry of a classic container whose template is its own name."""
    return {"Id": identity, "Names": [f"/{name}"], "State": "created", "Labels": {"chatsubo.dynamic": "false"}}


def classic(engine: Any) -> Classic:
    config = DockerConfig(realms=("wz01",), api=Api(host=Host("docker.example"), tls=False))
    return Classic("docker", config, config.realms, engine)


async def test_what_a_reset_left_half_made_is_listed_once_the_old_one_is_gone_and_finished_by_the_next():
    engine = OneContainer(f"mail{MAKING}")
    machines = classic(engine)

    [half_made] = machines.instances(engine.listed).items
    [old] = machines.instances([container_named("old", "mail"), *engine.listed]).items
    again = await machines.reset("wz01", "mail", NoProgress())

    assert (half_made.id, half_made.name, half_made.template, half_made.running) == ("new", "mail", "mail", False)
    assert [one.name for one in machines.templates(engine.listed, ()).items] == ["mail"]
    assert old.id == "old"
    assert (again.id, again.name) == ("new", "mail")
    assert engine.started == ["new"]


async def test_a_container_that_goes_away_during_its_reset_is_not_found():
    with pytest.raises(InstanceNotFound, match="went away"):
        await classic(OneContainer(f"mail{MAKING}", vanishes=True)).reset("wz01", "mail", NoProgress())
