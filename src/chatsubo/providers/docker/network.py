"""The networks that boxes are in: found, or made with a configured subnet."""

import asyncio
import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from aiodocker import Docker
from aiodocker.networks import DockerNetwork

from chatsubo.providers.docker.client import Engine
from chatsubo.providers.docker.config import DockerConfig
from chatsubo.providers.docker.labels import PROVIDER
from chatsubo.providers.exc import InstanceNotFound, Locked, Misconfigured, ProviderError

BRIDGE = "com.docker.network.bridge."
ICC = f"{BRIDGE}enable_icc"
MASQUERADE = f"{BRIDGE}enable_ip_masquerade"
LONGEST_INTERFACE = 15
FRESH = 30.0
"""Seconds that what is known of a network is relied on."""
APPEARING = (0.0, 0.1, 0.2, 0.4, 0.8)
"""Seconds to wait before each look for a network that somebody else may be creating."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A network as the configuration describes it.

    Attributes:
        name: Its name.
        subnet: The addresses to create it with, if any.
        setting: Where the subnet is configured, for errors.
        internet: Whether boxes in it may reach the internet.
    """

    name: str
    subnet: str | None
    setting: str
    internet: bool


@dataclass(frozen=True, slots=True)
class Network:
    """A network on the engine.

    Attributes:
        name: Its name.
        subnet: Its addresses.
        taken: Those of them that no box may have: the gateway's and what the engine keeps.
        options: The driver's options.
        internal: Whether nothing outside it can be reached, by players either.
    """

    name: str
    subnet: IPv4Network
    taken: frozenset[IPv4Address]
    options: Mapping[str, str] = field(default_factory=dict)
    internal: bool = False

    @property
    def separates(self) -> bool:
        """Whether containers in it are kept apart."""
        return self.options.get(ICC, "true").lower() == "false"

    @property
    def masquerades(self) -> bool:
        """Whether what leaves it gets the host's address, and so reaches the internet."""
        return not self.internal and self.options.get(MASQUERADE, "true").lower() != "false"


class Networks:
    """The networks of one provider.

    Args:
        engine: Where they are.
        provider: The provider's name.
        config: What they should be like.
    """

    def __init__(self, engine: Engine, provider: str, config: DockerConfig) -> None:
        self._engine = engine
        self._provider = provider
        self._options = config.network_options
        path = f"providers.docker.{provider}"
        self.boxes = Wanted(config.docker_network, config.subnet, f"{path}.subnet", internet=False)
        self.online = Wanted(config.internet.network, config.internet.subnet, f"{path}.internet.subnet", internet=True)
        self._turn = asyncio.Lock()
        self._known: dict[str, tuple[float, Network]] = {}

    async def ensure(self, wanted: Wanted) -> Network:
        """Return a network, created if it is missing.

        Raises:
            Misconfigured: It is missing and has no configured subnet, or it cannot be used.
            ProviderError: As the engine answers.
        """
        async with self._turn:
            known = self._known.get(wanted.name)
            if known is not None and time.monotonic() - known[0] < FRESH:
                return known[1]
            network = await self.find(wanted.name) or await self._create(wanted)
            self._known[wanted.name] = time.monotonic(), network
            return network

    def forget(self) -> None:
        """Look at the engine again for what was known to be there."""
        self._known.clear()

    async def find(self, name: str) -> Network | None:
        """Return the network of that name, if there is one.

        Raises:
            Misconfigured: It has no IPv4 addresses.
            ProviderError: As the engine answers.
        """

        async def show(docker: Docker) -> Any:
            return await DockerNetwork(docker, name).show()  # type: ignore[no-untyped-call]

        try:
            raw = await self._engine.ask(show)
        except InstanceNotFound:
            return None
        return read(raw)

    async def _create(self, wanted: Wanted) -> Network:
        if wanted.subnet is None:
            raise Misconfigured(
                f"{self._engine.name}: there is no network {wanted.name}, and {wanted.setting} does not say which"
                " addresses to create it with"
            )
        options = {
            ICC: "false",
            MASQUERADE: "true" if wanted.internet else "false",
            **({f"{BRIDGE}name": wanted.name} if len(wanted.name) <= LONGEST_INTERFACE else {}),
            **self._options,
        }
        body = {
            "Name": wanted.name,
            "CheckDuplicate": True,
            "Driver": "bridge",
            "EnableIPv6": False,
            "IPAM": {"Driver": "default", "Config": [{"Subnet": wanted.subnet}]},
            "Options": options,
            "Labels": {PROVIDER: self._provider},
        }
        try:
            await self._engine.change(lambda docker: docker.networks.create(body))
        except Locked:
            pass  # somebody else made it meanwhile
        except ProviderError as error:
            network = await self._appears(wanted.name)
            if network is None:
                raise Misconfigured(
                    f"{self._engine.name}: the network {wanted.name} cannot be created with the addresses of"
                    f" {wanted.setting}, {wanted.subnet}: {error.detail}"
                ) from None
            return network
        network = await self.find(wanted.name)
        if network is None:
            raise Misconfigured(f"{self._engine.name}: the network {wanted.name} went away while it was needed")
        return network

    async def _appears(self, name: str) -> Network | None:
        """Return the network that another process is creating: its addresses are taken before its name is seen."""
        for pause in APPEARING:
            await asyncio.sleep(pause)
            if (network := await self.find(name)) is not None:
                return network
        return None


def read(raw: Mapping[str, Any]) -> Network:
    """Return the network that the engine describes.

    Raises:
        Misconfigured: It has no IPv4 addresses.
    """
    for pool in (raw.get("IPAM") or {}).get("Config") or ():
        try:
            subnet = IPv4Network(pool.get("Subnet", ""))
        except ValueError:
            continue
        reserved = [pool.get("Gateway"), *(pool.get("AuxiliaryAddresses") or pool.get("AuxAddress") or {}).values()]
        gateway = pool.get("Gateway") or str(subnet.network_address + 1)
        taken = {_address(one) for one in (gateway, *filter(None, reserved))}
        return Network(
            name=raw["Name"],
            subnet=subnet,
            taken=frozenset(taken - {None}),
            options=raw.get("Options") or {},
            internal=bool(raw.get("Internal")),
        )
    raise Misconfigured(f"the network {raw.get('Name')} has no IPv4 addresses")


def _address(text: str) -> Any:
    try:
        return ipaddress.ip_interface(text).ip
    except ValueError:
        return None
