"""What a box's container is created with."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from chatsubo.providers.base import Limits, StartOrder
from chatsubo.providers.docker.config import DockerConfig
from chatsubo.providers.docker.images import Image
from chatsubo.providers.docker.labels import ADDRESS, DYNAMIC, GENERATION, PROVIDER, REALM, SESSION, TEMPLATE
from chatsubo.providers.docker.network import Network
from chatsubo.providers.docker.options import SECRETS_FOLDER, SecretFile
from chatsubo.providers.docker.slots import filled
from chatsubo.providers.docker.template import DockerTemplate

NO_RESOLVER = "127.0.0.1"
"""A box without the internet asks itself for names: the engine's resolver would ask the host's, and carry data out."""
LOG_SIZE = {"max-size": "1m", "max-file": "1"}


@dataclass(frozen=True, slots=True)
class Blueprint:
    """One box, as it is to be made.

    Attributes:
        provider: The provider's name.
        config: Its configuration.
        realm: The realm.
        template: What it is made from.
        image: Its image.
        network: Its network.
        order: For which session.
    """

    provider: str
    config: DockerConfig
    realm: str
    template: DockerTemplate
    image: Image
    network: Network
    order: StartOrder = field(repr=False)

    @property
    def name(self) -> str:
        """The container's name: the same for the same session and generation."""
        return container_name(self.order.id, self.order.generation)

    @property
    def limits(self) -> Limits:
        """What it may use."""
        return self.config.limits_for(self.template.options.limits, self.order.limits)

    def files(self) -> list[tuple[SecretFile, str]]:
        """Return the files that it gets, with what is in them."""
        return [(file, self.order.values[file.slot]) for file in self.template.files(SECRETS_FOLDER)]

    def container(self, address: IPv4Address, ports: Mapping[int, int | None]) -> dict[str, Any]:
        """Return the body of the request that creates it.

        Args:
            address: Its address.
            ports: The host's port for each port that is published; None for a free one.
        """
        bindings = {f"{inside}/tcp": [{"HostPort": str(outside or "")}] for inside, outside in ports.items()}
        return {
            "Image": self.image.reference,
            "Hostname": _host_name(self.template.name),
            "Env": [f"{name}={value}" for name, value in sorted(self._environment().items())],
            "Labels": self._labels(address),
            "ExposedPorts": {port: {} for port in bindings},
            "HostConfig": {**self._host_config(), "PortBindings": bindings},
            "NetworkingConfig": {"EndpointsConfig": {self.network.name: {"IPAMConfig": {"IPv4Address": str(address)}}}},
        }

    def _environment(self) -> dict[str, str]:
        values = self.order.values
        ready = (self.template.recipe and self.template.recipe.environment) or {}
        return {
            **filled(self.image.environment, values),
            **{name: filled({name: value}, values).get(name, value) for name, value in ready.items()},
            **{slot: values[slot] for slot in self.template.environment_slots()},
        }

    def _labels(self, address: IPv4Address) -> dict[str, str]:
        values = self.order.values
        ready = (self.template.recipe and self.template.recipe.labels) or {}
        return {
            **filled(self.image.labels, values),
            **{name: filled({name: value}, values).get(name, value) for name, value in ready.items()},
            TEMPLATE: self.template.name,
            REALM: self.realm,
            ADDRESS: str(address),
            SESSION: self.order.id,
            PROVIDER: self.provider,
            GENERATION: str(self.order.generation),
            DYNAMIC: "true",
        }

    def _host_config(self) -> dict[str, Any]:
        limits, options = self.limits, self.template.options
        granted = options.capabilities & set(self.config.allow.capabilities)
        privileges = options.privileges and self.config.allow.new_privileges
        online = options.internet and self.config.allow.internet
        return {
            "NetworkMode": self.network.name,
            "Memory": limits.memory,
            "MemorySwap": limits.memory,
            "NanoCpus": int((limits.cpus or 0) * 1e9),
            "PidsLimit": limits.processes,
            "CapDrop": ["ALL"],
            "CapAdd": sorted({*self.config.capabilities, *granted}),
            "SecurityOpt": [] if privileges else ["no-new-privileges"],
            "Init": options.init,
            "RestartPolicy": {"Name": "no"},
            "Dns": [] if online else [NO_RESOLVER],
            "DnsSearch": [] if online else ["."],
            "LogConfig": {"Type": "json-file", "Config": LOG_SIZE},
        }


def container_name(session: str, generation: int) -> str:
    """Return the name of the container of a session and generation."""
    return f"chatsubo-{session}-{generation}"


def _host_name(template: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "-", template).strip("-")[:63] or "box"
