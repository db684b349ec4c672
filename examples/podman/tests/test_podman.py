"""The plugin is held to what every plugin is held to, on a real Podman."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest

from chatsubo.providers.base import BaseInstance, BaseProvider, Readiness
from chatsubo.providers.exc import Locked, Misconfigured
from chatsubo.testing import ProviderKit, Proxied, Proxy, load_plugin
from tests.needs import need

from .conftest import NETWORK, Service

Plugin = load_plugin(Path(__file__).parents[1])


class Reached(NamedTuple):
    """A Podman, and the proxy through which the plugin reaches it."""

    podman: Service
    proxy: Proxy
    socket: Path


@need.podman
class TestPodman(Proxied, ProviderKit):
    """All checks of the kit, and some of this plugin's own."""

    abilities = frozenset({"dynamic", "classic"})
    waived: ClassVar[Mapping[str, str]] = {"secrets": "its configuration keeps none: who may open the socket may all"}
    crowd = 8

    backend: Reached

    @property
    def proxy(self) -> Proxy:
        return self.backend.proxy

    @property
    def podman(self) -> Service:
        return self.backend.podman

    @pytest.fixture
    def hypervisor(self, podman: Service, tmp_path: Path) -> Iterator[Reached]:
        socket = tmp_path / "p.sock"
        with Proxy(podman.socket, socket) as proxy:
            yield Reached(podman, proxy, socket)
        for name in podman.containers():
            podman.remove(name)
        for image in podman.ask("GET", "/images/json").json():
            if image["Names"] and image["Names"][0].startswith("localhost/kit-"):
                podman.ask("DELETE", f"/images/{image['Id']}", params={"force": "true"})

    @pytest.fixture
    def provider(self, hypervisor: Reached) -> BaseProvider:
        return self.make(hypervisor)

    @pytest.fixture
    def other(self, hypervisor: Reached) -> BaseProvider:
        return self.make(hypervisor)

    def make(self, there: Reached) -> BaseProvider:
        config = Plugin.Config(realms=("wz01",), socket=there.socket, network=NETWORK)  # type: ignore[call-arg]
        return Plugin.from_config("here", config, ())

    # What the checks do to Podman, behind the provider's back

    async def traces(self, session: str) -> list[str]:
        return [name for name in self.podman.containers() if session in name]

    async def spoil(self, instance: BaseInstance) -> None:
        self.podman.run(instance.name, "touch /spoiled")

    async def is_spoiled(self, instance: BaseInstance) -> bool:
        return self.podman.run(instance.name, "test -e /spoiled")[0] == 0

    async def halt(self, instance: BaseInstance) -> None:
        self.podman.ask("POST", f"/containers/{instance.name}/stop", params={"timeout": "0"})

    async def plant_template(self, name: str, labels: Mapping[str, str]) -> None:
        # An image keeps the labels of the container that it is made from, whatever is in them.
        self.podman.make(name, {**labels, "chatsubo.dynamic": "true"}, command=["/no/such/program"])
        self.podman.ask("POST", "/commit", params={"container": name, "repo": f"localhost/{name}"})
        self.podman.remove(name)

    async def plant_broken(self) -> str:
        await self.plant_template("kit-broken", {})
        return "kit-broken"

    async def plant_machine(self, name: str, labels: Mapping[str, str]) -> None:
        address = labels.get("chatsubo.address") if name == self.machine else None
        network: dict[str, Any] = {"netns": {"nsmode": "none"}}
        if address:
            network = {"netns": {"nsmode": "bridge"}, "networks": {NETWORK: {"static_ips": [address]}}}
        self.podman.make(name, dict(labels), env={"DOOR": "open"}, **network)
        self.podman.ask("POST", f"/containers/{name}/start")

    async def plant_unusable(self) -> str:
        self.podman.make("unusable", {"chatsubo.template": "unusable"})
        return "unusable"

    # What is this plugin's own

    async def test_a_machine_has_its_values_in_a_file_for_root_and_in_no_variable(self) -> None:
        order = self.order()
        name = (await self.start(order)).name
        assert order.values["FLAG1"].encode() in self.podman.run(name, "cat /etc/chatsubo/values")[1]
        assert b"-rw------- root" in self.podman.run(name, "stat -c '%A %U' /etc/chatsubo/values")[1]
        assert b"FLAG" not in self.podman.run(name, "env")[1]

    async def test_a_start_waits_for_the_health_check(self) -> None:
        started = await self.start(self.order())
        assert started.readiness is Readiness.HEALTHY
        assert self.podman.run(started.name, "test -e /ready")[0] == 0

    async def test_a_machine_that_another_platform_is_making_is_left_to_it(self) -> None:
        order = self.order()
        self.podman.make(f"chatsubo-{order.id}", {})
        with pytest.raises(Locked):
            await self.start(order)
        assert await self.traces(order.id)

    async def test_a_generation_that_is_no_number_hides_nothing_else(self) -> None:
        self.podman.make("odd", {**self.machine_labels("odd"), "chatsubo.generation": "second"})
        listing = await self.first.list_instances()
        assert [one.name for one in listing.rejected] == ["odd"]

    async def test_a_reset_that_was_cut_off_is_ended_by_the_next(self) -> None:
        before = await self.classic_machine()
        self.podman.ask("POST", f"/containers/{before.name}/rename", params={"name": f"{before.name}.fresh"})
        assert (await self.first.reset(self.realm, self.machine)).name == before.name
        assert self.podman.containers() == [before.name]

    async def test_a_shared_machine_keeps_what_it_was_made_with(self) -> None:
        before = await self.classic_machine()
        await self.first.reset(self.realm, self.machine)
        assert self.podman.run(before.name, "test $DOOR = open")[0] == 0
        assert b"10.66.0.7" in self.podman.run(before.name, "ip address")[1]

    async def test_a_shared_machine_with_a_volume_is_not_reset(self) -> None:
        labels = self.machine_labels("store")
        self.podman.make("store", labels, volumes=[{"Name": "goods", "Dest": "/goods"}])
        with pytest.raises(Misconfigured, match="volumes"):
            await self.first.reset(self.realm, "store")
