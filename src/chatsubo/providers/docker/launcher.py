"""Starting, resetting and stopping the containers of sessions."""

import asyncio
from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

import structlog

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Readiness, StartOrder
from chatsubo.providers.docker.addresses import Addresses
from chatsubo.providers.docker.blueprint import Blueprint
from chatsubo.providers.docker.config import DockerConfig
from chatsubo.providers.docker.containers import Containers, Raw, used_addresses, used_ports
from chatsubo.providers.docker.errors import AddressTaken, ImageMissing, NameTaken, NetworkMissing, PortTaken
from chatsubo.providers.docker.images import Images
from chatsubo.providers.docker.labels import ADDRESS, GENERATION
from chatsubo.providers.docker.network import Networks
from chatsubo.providers.docker.readiness import wait_until_ready
from chatsubo.providers.docker.template import DockerTemplate
from chatsubo.providers.exc import BuildFailed, Cancelled, InstanceNotFound, Locked, NoCapacity, NotReady, ProviderError

STARTING = Text(N_("Starting the machine"))
ATTEMPTS = 4
REMOVALS = 50
REMOVAL_STEP = 0.1
CLEANING = 10.0
"""Seconds that cleaning up after a failure may take."""

log = structlog.get_logger(__name__)


class Launcher:
    """The containers of one provider's sessions.

    Args:
        provider: The provider's name.
        config: Its configuration.
        containers, images, networks: What is on the engine.
    """

    def __init__(
        self, provider: str, config: DockerConfig, containers: Containers, images: Images, networks: Networks
    ) -> None:
        self._provider = provider
        self._config = config
        self._containers = containers
        self._images = images
        self._networks = networks
        self._addresses = Addresses()
        self._mine: dict[str, set[str]] = {}

    async def launch(
        self, realm: str, template: DockerTemplate, order: StartOrder, *, keep: bool
    ) -> tuple[Raw, Readiness]:
        """Bring up the container of a session and generation, and return it and how it is known to be ready.

        What is found of this generation and runs is adopted; what is older is replaced, and its address kept.

        Args:
            realm: The realm.
            template: What to make it from.
            order: For which session; its progress is given secret values too.
            keep: Whether, when this fails, what holds the session's address stays.

        Raises:
            Cancelled: There is a later generation already.
            ProviderError: As for a start.
        """
        self._mine[order.id] = set()
        try:
            container, readiness = await self._launch_or_adopt(realm, template, order)
            return await self._listed(order.id, container), readiness
        except Cancelled:
            raise
        except BaseException:
            if not keep:
                await self._clean(order)
            raise
        finally:
            self._mine.pop(order.id, None)

    async def remove(self, session: str) -> None:
        """Remove all that was made for a session. What is gone already is a success.

        Raises:
            ProviderError: As the engine answers.
        """
        for _ in range(REMOVALS):
            for raw in (*await self._containers.of_session(session), *await self._containers.of_build(session)):
                await self._containers.remove(raw["Id"])
            if await self._images.remove_of(session):
                return
            # A build that was called off goes on for a moment, and holds on to what it has made.
            await asyncio.sleep(REMOVAL_STEP)
        raise Locked(f"the engine does not let go of what it built for the session {session}")

    async def _launch_or_adopt(self, realm: str, template: DockerTemplate, order: StartOrder) -> tuple[str, Readiness]:
        try:
            return await self._launch(realm, template, order)
        except (ImageMissing, NetworkMissing):
            raise
        except InstanceNotFound:
            # Another worker took it for half-made and put its own in its place: that one is adopted.
            return await self._launch(realm, template, order)

    async def _launch(self, realm: str, template: DockerTemplate, order: StartOrder) -> tuple[str, Readiness]:
        found = await self._containers.of_session(order.id)
        if any(_generation(raw) > order.generation for raw in found):
            raise Cancelled(f"the session {order.id} has a later generation than {order.generation}")
        address = next((_address(raw) for raw in found), None)
        running = [raw for raw in found if _generation(raw) == order.generation and raw.get("State") == "running"]
        if running:
            adopted = running[0]["Id"]
            self._mine[order.id].add(adopted)
            await self._remove_all(found, but=adopted)
            return adopted, await self._ready(adopted, template, order)
        container = await self._make(realm, template, order, found, address)
        return container, await self._ready(container, template, order)

    async def _listed(self, session: str, container: str) -> Raw:
        for raw in await self._containers.of_session(session):
            if raw["Id"] == container and raw.get("State") != "running":
                raise NotReady("its main process ended as soon as it was ready")
            if raw["Id"] == container:
                return raw
        raise InstanceNotFound(f"the container of the session {session} went away while it was started")

    async def _make(
        self,
        realm: str,
        template: DockerTemplate,
        order: StartOrder,
        found: list[Raw],
        address: IPv4Address | None,
    ) -> str:
        try:
            return await self._make_once(realm, template, order, found, address)
        except (ImageMissing, NetworkMissing):
            # Somebody cleaned up on the engine since we last looked.
            self._images.forget()
            self._networks.forget()
            return await self._make_once(realm, template, order, found, address)

    async def _make_once(
        self,
        realm: str,
        template: DockerTemplate,
        order: StartOrder,
        found: list[Raw],
        address: IPv4Address | None,
    ) -> str:
        online = template.options.internet and self._config.allow.internet
        network = await self._networks.ensure(self._networks.online if online else self._networks.boxes)
        image = await self._images.of(template, order)
        box = Blueprint(self._provider, self._config, realm, template, image, network, order)
        if address is None or address not in network.subnet:
            return await self._at_free_address(box, found)
        return await self._at(box, address, found, await self._taken_ports(box, found))

    async def _at_free_address(self, box: Blueprint, found: list[Raw]) -> str:
        taken: set[int] = set()

        async def used() -> set[IPv4Address]:
            listed = await self._containers.all()
            taken.update(used_ports(listed))
            return used_addresses(listed)

        for _ in range(ATTEMPTS):
            async with self._addresses.hold(box.network, used) as address:
                try:
                    return await self._at(box, address, found, taken)
                except AddressTaken:
                    # Another process, or a container that is not ours, took it in between.
                    continue
        raise NoCapacity(f"no address of the network {box.network.name} could be had")

    async def _at(self, box: Blueprint, address: IPv4Address, found: list[Raw], taken: set[int]) -> str:
        # What a reset replaces had a port of the host already: players know that one.
        wanted = {inside: _published(found).get(inside, port) for inside, port in box.template.metadata.ports.items()}
        ports: dict[int, int | None] = {inside: None if port in taken else port for inside, port in wanted.items()}
        try:
            return await self._create_and_start(box, address, found, ports)
        except PortTaken:
            return await self._create_and_start(box, address, found, dict.fromkeys(ports))

    async def _create_and_start(
        self, box: Blueprint, address: IPv4Address, found: list[Raw], ports: Mapping[int, int | None]
    ) -> str:
        box.order.progress.stage(STARTING)
        # Half-made ones of this generation have its name; older ones go only once the new one holds their address.
        await self._remove_all([raw for raw in found if _generation(raw) == box.order.generation])
        container = await self._create(box, box.container(address, ports))
        self._mine[box.order.id].add(container)
        try:
            if files := box.files():
                await self._containers.put(container, files)
            await self._remove_all([raw for raw in found if _generation(raw) < box.order.generation])
            await self._start(container)
        except (AddressTaken, PortTaken):
            await self._containers.remove(container)
            raise
        return container

    async def _create(self, box: Blueprint, config: Mapping[str, Any]) -> str:
        try:
            return await self._containers.create(box.name, config)
        except NameTaken:
            # Of this generation, and made since we looked: by a call of ours that was cut off.
            for raw in await self._containers.of_session(box.order.id):
                if _generation(raw) == box.order.generation:
                    await self._containers.remove(raw["Id"])
            return await self._containers.create(box.name, config)

    async def _start(self, container: str) -> None:
        try:
            await self._containers.start(container)
        except ProviderError as error:
            if "executable file not found" in error.detail or "OCI runtime create failed" in error.detail:
                raise BuildFailed(error.detail) from None
            raise

    async def _ready(self, container: str, template: DockerTemplate, order: StartOrder) -> Readiness:
        raw = await self._containers.inspect(container)
        exposed = sorted(_tcp_ports(raw["Config"].get("ExposedPorts") or {}))
        port = (template.metadata.ready or next(iter(exposed), None)) if self._config.reachable else None
        address = raw["Config"]["Labels"].get(ADDRESS, "")
        limit = self._config.ready_timeout
        try:
            return await wait_until_ready(
                self._containers, raw, port=port, address=address, limit=limit, progress=order.progress
            )
        except NotReady as error:
            raise NotReady(f"{template.name}: {error.detail}") from None
        finally:
            await self._tell_output(container, order)

    async def _tell_output(self, container: str, order: StartOrder) -> None:
        try:
            order.progress.log(await self._containers.log(container))
        except ProviderError as error:
            order.progress.log(f"The machine's output cannot be read: {error.detail}\n")

    async def _taken_ports(self, box: Blueprint, found: list[Raw]) -> set[int]:
        if not box.template.metadata.ports:
            return set()
        replaced = {raw["Id"] for raw in found}
        return used_ports(raw for raw in await self._containers.all() if raw["Id"] not in replaced)

    async def _remove_all(self, found: list[Raw], but: str = "") -> None:
        for raw in found:
            if raw["Id"] != but:
                await self._containers.remove(raw["Id"])

    async def _clean(self, order: StartOrder) -> None:
        """Remove what a failed or cancelled start left; what cannot be removed now, reconciliation removes later."""
        task = asyncio.ensure_future(self._remove_mine(order))
        try:
            async with asyncio.timeout(CLEANING):
                await asyncio.shield(task)
        except (ProviderError, TimeoutError) as error:
            log.warning("docker.leftover", provider=self._provider, session=order.id, reason=str(error))
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=CLEANING)
            raise

    async def _remove_mine(self, order: StartOrder) -> None:
        mine = self._mine.get(order.id, set())
        found = await self._containers.of_session(order.id)
        # What runs and is not ours is another worker's, who went on with this session while this one was paused.
        others = [raw for raw in found if raw["Id"] not in mine and raw.get("State") == "running"]
        if not others and all(_generation(raw) <= order.generation for raw in found):
            await self.remove(order.id)
            return
        await self._remove_all([raw for raw in found if raw["Id"] in mine])


def _generation(raw: Raw) -> int:
    text = (raw.get("Labels") or {}).get(GENERATION, "")
    return int(text) if text.isdigit() else 0


def _address(raw: Raw) -> IPv4Address | None:
    try:
        return IPv4Address((raw.get("Labels") or {}).get(ADDRESS, ""))
    except ValueError:
        return None


def _published(found: list[Raw]) -> dict[int, int]:
    """Return the ports of the host that containers publish, by their own."""
    ports = (port for raw in found for port in raw.get("Ports") or () if port.get("PublicPort"))
    return {port["PrivatePort"]: port["PublicPort"] for port in ports}


def _tcp_ports(exposed: Mapping[str, Any]) -> set[int]:
    return {int(port.partition("/")[0]) for port in exposed if port.endswith("/tcp")}
