"""What speaks to Podman, and the only file that does: the REST API of its own (libpod) on a Unix socket.

Its reference is https://docs.podman.io/en/latest/_static/api.html; Podman 4 and 5 understand what is asked here.
"""

import asyncio
import json
import secrets
import shlex
import tarfile
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from chatsubo.providers.base import Limits
from chatsubo.providers.exc import (
    AccessRefused,
    BackendConnectionException,
    InstanceNotFound,
    Locked,
    Misconfigured,
    NoCapacity,
    NotReady,
    ProviderError,
    TemplateNotFound,
    TimedOut,
)

T = TypeVar("T")

ADDRESS = "chatsubo.address"
VALUES = "etc/chatsubo/values"
"""The file in a machine that has its values, for root alone: ``. /etc/chatsubo/values`` reads them in a shell."""
FRESH = ".fresh"
"""What the name of a shared machine that is about to take its own place ends with."""
LIMIT = 10.0
"""Seconds that one answer may take: a start that is called off while it waits has 15 to tidy up."""
PAUSE = 0.2
"""Seconds between two looks at a machine that is not ready yet."""

SAID: dict[str, type[ProviderError]] = {
    "already in use": Locked,
    "already allocated": NoCapacity,
    "no space left": NoCapacity,
    "network not found": Misconfigured,
    "image not known": TemplateNotFound,
    "OCI runtime": NotReady,
}
"""Podman answers most that can go wrong with 500, and with words."""


class Image(msgspec.Struct, rename="pascal"):
    """An image, as a listing tells it."""

    id: str
    names: list[str] | None = None
    labels: dict[str, str] | None = None


class Machine(msgspec.Struct, rename="pascal"):
    """A container, as a listing tells it."""

    id: str
    names: list[str]
    state: str
    labels: dict[str, str] | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.names[0]


class Podman:
    """A Podman service.

    Attributes:
        requests: How many requests were sent so far.
    """

    def __init__(self, socket: Path, network: str) -> None:
        self.requests = 0
        self._network = network
        self._choosing = asyncio.Lock()
        # A connection of its own for each request: none is ever stale after the service was restarted.
        transport = httpx.AsyncHTTPTransport(uds=str(socket), limits=httpx.Limits(max_keepalive_connections=0))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://podman/v4.0.0/libpod", timeout=LIMIT)

    async def close(self) -> None:
        """Free the connections."""
        await self._client.aclose()

    async def version(self) -> str:
        """Return the version of the service."""
        return str((await self._get("/version", dict[str, Any])).get("Version"))

    async def has_network(self) -> bool:
        """Return whether the network that machines are put on is there."""
        return self._network in {one["name"] for one in await self._get("/networks/json", list[dict[str, Any]])}

    async def images(self) -> list[Image]:
        """Return the images that have a name; one that was built again leaves its former self without."""
        return [one for one in await self._get("/images/json", list[Image]) if one.names]

    async def machines(self) -> list[Machine]:
        """Return all containers, running or not."""
        found = await self._get("/containers/json", list[Machine], all="true")
        names = {one.name for one in found}
        return [one for one in found if one.name.removesuffix(FRESH) not in names - {one.name}]

    async def machine(self, name: str) -> Machine:
        """Return one container."""
        for one in await self.machines():
            if one.name == name:
                return one
        raise InstanceNotFound(f"there is no container {name}")

    async def create(
        self,
        name: str,
        image: str,
        labels: Mapping[str, str],
        values: Mapping[str, str],
        *,
        limits: Limits,
        address: str | None = None,
    ) -> None:
        """Make a container that does not run yet, at an address: that one, or any that is free."""
        # A listing tells no addresses, so it is chosen here, and written on the container.
        async with self._choosing:
            address = address or await self._free_address()
            spec = {
                "name": name,
                "image": image,
                "labels": {**labels, ADDRESS: address},
                "netns": {"nsmode": "bridge"},
                "networks": {self._network: {"static_ips": [address]}},
                "resource_limits": _resources(limits),
            }
            await self._send("POST", "/containers/create", json=spec)
        lines = "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())
        await self._send("PUT", f"/containers/{name}/archive", params={"path": "/"}, content=_archive(VALUES, lines))

    async def start(self, name: str) -> None:
        """Start a container."""
        await self._send("POST", f"/containers/{name}/start")

    async def until_ready(self, name: str) -> bool:
        """Wait until a container is ready; return whether its health check says so, or it has none."""
        while (seen := await self._inspect(name))["State"]["Running"]:
            if not seen["Config"].get("Healthcheck"):
                return False
            # Asked for here, the check is run at once, and on machines without systemd's timers too.
            if (await self._get(f"/containers/{name}/healthcheck", dict[str, Any]))["Status"] == "healthy":
                return True
            await asyncio.sleep(PAUSE)
        raise NotReady(f"{name} ended with {seen['State']['ExitCode']}")

    async def rollback(self, name: str) -> str:
        """Make a shared container anew from its image, as it was made, start it, and return its name.

        At each moment there is one to come back to: the next reset ends one that was cut off.
        """
        base = name.removesuffix(FRESH)
        if name == base:
            spec = await self._as_made(name)
            await self.remove(base + FRESH)
            await self._send("POST", "/containers/create", json={**spec, "name": base + FRESH})
            await self.remove(base)
        await self._send("POST", f"/containers/{base}{FRESH}/rename", params={"name": base})
        await self.start(base)
        return base

    async def remove(self, name: str) -> None:
        """Kill and remove a container with its nameless volumes; it is no trouble if it is gone."""
        options = {"force": "true", "ignore": "true", "volumes": "true", "timeout": "0"}
        await self._send("DELETE", f"/containers/{name}", params=options)

    async def _as_made(self, name: str) -> dict[str, Any]:
        """Return what a container was made with."""
        seen = await self._inspect(name)
        if seen["Mounts"] or seen["Pod"]:
            raise Misconfigured(f"{name} has volumes or a pod, which a reset could not bring back")
        config, host = seen["Config"], seen["HostConfig"]
        address, subnet = config["Labels"].get(ADDRESS, ""), await self._subnet()
        stays = {"static_ips": [address]} if ip_address(address) in subnet else {}
        networks = seen["NetworkSettings"].get("Networks") or {}
        return {
            "image": seen["Image"],
            "entrypoint": [seen["Path"]],
            "command": seen["Args"],
            "labels": config["Labels"],
            "env": dict(line.split("=", 1) for line in config["Env"] if not line.startswith("HOSTNAME=")),
            "user": config["User"],
            "work_dir": config["WorkingDir"],
            "terminal": config["Tty"],
            "stdin": config["OpenStdin"],
            "privileged": host["Privileged"],
            "cap_add": host["CapAdd"],
            "cap_drop": host["CapDrop"],
            "restart_policy": host["RestartPolicy"]["Name"],
            "resource_limits": _resources(Limits(host["Memory"], host["NanoCpus"] / 1e9, host["PidsLimit"])),
            "netns": {"nsmode": host["NetworkMode"]},
            "networks": {one: stays if one == self._network else {} for one in networks},
            "portmappings": [
                {
                    "container_port": int(port.split("/")[0]),
                    "protocol": port.split("/")[1],
                    "host_ip": place["HostIp"],
                    "host_port": int(place["HostPort"]),
                }
                for port, places in (host["PortBindings"] or {}).items()
                for place in places
            ],
        }

    async def _free_address(self) -> str:
        subnet = await self._subnet()
        taken = {(one.labels or {}).get(ADDRESS) for one in await self.machines()}
        # The first one is the gateway. Any of the others, so that two platforms on one network seldom meet.
        count = subnet.num_addresses - 3
        begin = secrets.randbelow(max(count, 1))
        for step in range(min(count, len(taken) + 1)):
            address = str(subnet[2 + (begin + step) % count])
            if address not in taken:
                return address
        raise NoCapacity(f"the network {self._network} has no address left")

    async def _subnet(self) -> Any:
        network = await self._get(f"/networks/{self._network}/json", dict[str, Any])
        return ip_network(network["subnets"][0]["subnet"])

    async def _inspect(self, name: str) -> dict[str, Any]:
        return await self._get(f"/containers/{name}/json", dict[str, Any])

    async def _get(self, path: str, shape: type[T], **params: str) -> T:
        try:
            return msgspec.json.decode(await self._send("GET", path, params=params), type=shape)
        except msgspec.DecodeError as error:
            raise BackendConnectionException("podman", f"its answer to {path} cannot be read: {error}") from error

    async def _send(self, method: str, path: str, **options: Any) -> bytes:
        self.requests += 1
        try:
            answer = await self._client.request(method, path, **options)
        except httpx.TimeoutException as error:
            raise TimedOut(f"{method} {path} was not answered within {LIMIT:.0f} s") from error
        except httpx.HTTPError as error:
            raise BackendConnectionException("podman", str(error) or type(error).__name__) from error
        if answer.is_success or answer.status_code == httpx.codes.NOT_MODIFIED:  # it was so already
            return answer.content
        raise _error(answer)


def _error(answer: httpx.Response) -> ProviderError:
    """Return what an answer that tells of a failure means."""
    try:
        said = str(json.loads(answer.content)["message"])
    except (ValueError, TypeError, KeyError):
        said = f"status {answer.status_code}"
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return AccessRefused(said)
    known = next((error for words, error in SAID.items() if words in said), None)
    missing = InstanceNotFound if answer.status_code == httpx.codes.NOT_FOUND else ProviderError
    return (known or missing)(said)


def _resources(limits: Limits) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if limits.memory:
        found["memory"] = {"limit": limits.memory}
    if limits.cpus:
        found["cpu"] = {"quota": int(limits.cpus * 100_000), "period": 100_000}
    if limits.processes:
        found["pids"] = {"limit": limits.processes}
    return found


def _archive(path: str, text: str) -> bytes:
    """Return a tar archive with one file, which is root's alone."""
    content = text.encode()
    member = tarfile.TarInfo(path)
    member.size, member.mode = len(content), 0o600
    # Ended as short as the format allows: Podman stops reading there, and calls what is left over a broken pipe.
    return member.tobuf() + content + bytes(-len(content) % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)
