"""Classic containers: shared by all players, made by the operator, found by their label, made anew at a reset."""

from collections.abc import Iterable, Mapping
from typing import Any

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Listing, Progress, Rejected
from chatsubo.providers.docker.config import DockerConfig
from chatsubo.providers.docker.containers import Containers, Raw
from chatsubo.providers.docker.instance import DockerInstance, classic_metadata, name_of
from chatsubo.providers.docker.template import DockerTemplate
from chatsubo.providers.exc import InstanceNotFound, MalformedMetadataException, Misconfigured, ProviderError

MAKING = ".chatsubo-reset"
"""What the name of a container ends with while it is about to take the place of another."""
MAKING_ANEW = N_("Making the machine anew")
SHORT_ID = 12
_NOT_OURS = frozenset({"host", "none"})


class Classic:
    """The classic containers that one provider serves.

    Args:
        provider: The provider's name.
        config: Its configuration.
        realms: Its realms.
        containers: What is on the engine.
    """

    def __init__(self, provider: str, config: DockerConfig, realms: Iterable[str], containers: Containers) -> None:
        self._provider = provider
        self._config = config
        self._realms = tuple(realms)
        self._containers = containers

    def instances(self, listed: Iterable[Raw]) -> Listing[DockerInstance]:
        """Return the classic instances among containers; those of other realms are another provider's.

        A container that is to take another's place counts once that is gone, under the name that it will have: else a
        reset that was cut off in between would leave nothing that could be reset.
        """
        named = {name_of(raw): raw for raw in listed}
        items: list[DockerInstance] = []
        rejected: list[Rejected] = []
        for found, raw in sorted(named.items()):
            metadata = classic_metadata(raw)
            name = found.removesuffix(MAKING)
            if metadata is None or metadata.realm not in (None, *self._realms) or (name != found and name in named):
                continue
            try:
                items.append(self._instance({**raw, "Names": [name]}))
            except MalformedMetadataException as error:
                rejected.append(Rejected(name, Text(N_("its labels cannot be read: {error}"), _said(error))))
        return Listing(items, rejected)

    def templates(self, listed: Iterable[Raw], dynamic: Iterable[str]) -> Listing[DockerTemplate]:
        """Return the templates that classic containers are.

        Args:
            listed: The containers.
            dynamic: The names of the templates that are folders: those win.
        """
        labels = {raw["Id"]: raw.get("Labels") or {} for raw in listed}
        found = self.instances(listed)
        folders = set(dynamic)
        items: dict[str, DockerTemplate] = {}
        rejected = list(found.rejected)
        for instance in found.items:
            if instance.template in folders:
                reason = Text(N_("a folder of templates has the same name: {name}"), {"name": instance.template})
                rejected.append(Rejected(instance.name, reason))
            elif instance.template not in items:
                items[instance.template] = DockerTemplate(
                    instance.template, self._provider, labels[str(instance.id)], warnings=_warnings(instance)
                )
        return Listing(list(items.values()), rejected)

    async def reset(self, realm: str, template: str, progress: Progress) -> DockerInstance:
        """Make the classic container of a template anew from what it was created with, and return it.

        Raises:
            InstanceNotFound: There is none.
            ProviderError: As the engine answers; the container that was there stays unless it was replaced already.
        """
        progress.stage(Text(MAKING_ANEW))
        listed = await self._containers.all()
        classic = self.instances(listed).items
        found = next((one for one in classic if (one.realm, one.template) == (realm, template)), None)
        if found is None:
            raise InstanceNotFound(f"there is no classic container of {template!r} in the realm {realm!r}")
        half_made = next((raw["Id"] for raw in listed if name_of(raw) == found.name + MAKING), None)
        if half_made == found.id:
            # An earlier reset was cut off after the old container went.
            await self._take_place(half_made, found.name)
        else:
            if half_made is not None:
                await self._containers.remove(half_made)
            await self._replace(str(found.id), found.name)
        for one in self.instances(await self._containers.all()).items:
            if one.name == found.name:
                return one
        raise InstanceNotFound(f"{found.name} went away while it was made anew")

    async def _replace(self, old: str, name: str) -> None:
        inspected = await self._containers.inspect(old)
        first, others = _networks(inspected)
        new = await self._create(name + MAKING, inspected, first)
        try:
            for network, endpoint in others.items():
                await self._containers.connect(new, network, endpoint)
        except ProviderError:
            await self._containers.remove(new)
            raise
        await self._containers.remove(old)
        await self._take_place(new, name)

    async def _take_place(self, new: str, name: str) -> None:
        await self._containers.rename(new, name)
        await self._containers.start(new)

    async def _create(self, name: str, inspected: Raw, endpoints: Mapping[str, Any]) -> str:
        try:
            return await self._containers.create(name, recreation(inspected, endpoints))
        except Misconfigured as error:
            raise Misconfigured(f"{name.removesuffix(MAKING)} cannot be made anew: {error.detail}") from None

    def _instance(self, raw: Raw) -> DockerInstance:
        realm = self._realms[0] if len(self._realms) == 1 else ""
        return DockerInstance.from_listing(
            raw, realm=realm, network=self._config.docker_network, ports_host=self._config.ports_host
        )


def recreation(inspected: Raw, endpoints: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of the request that makes a container like the one that was inspected.

    Args:
        inspected: The engine's inspection.
        endpoints: Its first network, and how it is in it.
    """
    config = dict(inspected["Config"])
    host = dict(inspected["HostConfig"])
    if config.get("Hostname") == inspected["Id"][:SHORT_ID]:
        config.pop("Hostname")
    config.pop("MacAddress", None)
    # By its id: the name may mean another image by now, and the initial state is that of this one.
    config["Image"] = inspected["Image"]
    host["PortBindings"] = {
        port: [{"HostIp": one.get("HostIp", ""), "HostPort": one["HostPort"]} for one in bound]
        for port, bound in ((inspected.get("NetworkSettings") or {}).get("Ports") or {}).items()
        if bound
    } or host.get("PortBindings")
    mode = str(host.get("NetworkMode", ""))
    plain = mode in _NOT_OURS or mode.startswith("container:")
    return {**config, "HostConfig": host, "NetworkingConfig": {"EndpointsConfig": {} if plain else dict(endpoints)}}


def _networks(inspected: Raw) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the first network of a container, and the others: an engine takes one when it creates a container."""
    found = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    mode = inspected["HostConfig"].get("NetworkMode", "")
    first = mode if mode in found else next(iter(found), None)
    endpoints = {name: _endpoint(raw, inspected["Id"]) for name, raw in found.items()}
    return ({first: endpoints[first]} if first else {}), {name: one for name, one in endpoints.items() if name != first}


def _endpoint(raw: Mapping[str, Any], container: str) -> dict[str, Any]:
    asked = dict(raw.get("IPAMConfig") or {})
    aliases = [alias for alias in raw.get("Aliases") or () if alias != container[:SHORT_ID]]
    if asked and raw.get("IPAddress"):
        asked["IPv4Address"] = raw["IPAddress"]
    return {
        "IPAMConfig": asked or None,
        "Aliases": aliases,
        "Links": raw.get("Links"),
        "DriverOpts": raw.get("DriverOpts"),
    }


def _warnings(instance: DockerInstance) -> tuple[Text, ...]:
    return tuple(Text(N_("a reset leaves the {what} as it is"), {"what": what}) for what in instance.kept)


def _said(error: ProviderError) -> dict[str, str]:
    return {"error": error.detail}
