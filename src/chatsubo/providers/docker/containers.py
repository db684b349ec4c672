"""Containers on the engine: what is asked of it about them, and told it to do with them."""

import asyncio
import io
import json
import posixpath
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from ipaddress import IPv4Address
from typing import Any

from aiodocker import Docker
from aiodocker.networks import DockerNetwork

from chatsubo.providers.docker.client import Engine
from chatsubo.providers.docker.instance import address_of
from chatsubo.providers.docker.labels import ADDRESS, PROVIDER, SESSION
from chatsubo.providers.docker.options import SECRETS_FOLDER, SecretFile
from chatsubo.providers.exc import InstanceNotFound, Locked

LOG_LINES = 200
REMOVE_LIMIT = 60.0

Raw = Mapping[str, Any]


class Containers:
    """The containers of one engine.

    Args:
        engine: Where they are.
        provider: The provider's name.
    """

    def __init__(self, engine: Engine, provider: str) -> None:
        self._engine = engine
        self._provider = provider

    async def all(self) -> list[Raw]:
        """Return every container, running or not, as the engine lists them."""
        return await self._list({})

    async def of_session(self, session: str) -> list[Raw]:
        """Return the containers that this provider made for a session, running or not."""
        return await self._list({"label": [f"{SESSION}={session}", f"{PROVIDER}={self._provider}"]})

    async def of_build(self, session: str) -> list[Raw]:
        """Return the containers in which the engine builds a session's image: they have its label and not ours."""
        found = await self._list({"label": [f"{SESSION}={session}"]})
        return [one for one in found if PROVIDER not in (one.get("Labels") or {})]

    async def create(self, name: str, config: Mapping[str, Any]) -> str:
        """Make a container and return its id.

        Raises:
            NameTaken, ImageMissing: As they say.
            ProviderError: As the engine answers.
        """
        made = await self._engine.change(lambda docker: docker.containers.create(dict(config), name=name))
        return made.id

    async def start(self, container: str) -> None:
        """Start a container.

        Raises:
            AddressTaken, PortTaken: As they say.
            ProviderError: As the engine answers.
        """
        await self._engine.change(lambda docker: docker.containers.container(container).start())

    async def inspect(self, container: str) -> Raw:
        """Return everything that the engine knows of a container.

        Raises:
            InstanceNotFound: It is gone.
        """
        found: Raw = await self._engine.ask(lambda docker: docker.containers.container(container).show())
        return found

    async def ends(self, container: str, within: float) -> bool:
        """Wait for a container to end, for ``within`` seconds at most, and say whether it has.

        Raises:
            InstanceNotFound: It is gone.
        """
        wait = self._engine.stream(f"containers/{container}/wait", {"condition": "not-running"})
        try:
            async with asyncio.timeout(within), aclosing(wait) as answers:
                async for _ in answers:
                    return True
        except TimeoutError:
            return False
        return True

    async def rename(self, container: str, name: str) -> None:
        """Give a container another name."""
        await self._engine.change(lambda docker: docker.containers.container(container).rename(name))

    async def connect(self, container: str, network: str, endpoint: Mapping[str, Any]) -> None:
        """Put a container into one more network."""
        body = {"Container": container, "EndpointConfig": dict(endpoint)}

        async def join(docker: Docker) -> None:
            await DockerNetwork(docker, network).connect(body)  # type: ignore[no-untyped-call]

        await self._engine.change(join)

    async def remove(self, container: str) -> None:
        """Remove a container with its own volumes, running or not. What is gone already is a success.

        Raises:
            ProviderError: As the engine answers.
        """
        try:
            await self._engine.change(
                lambda docker: docker.containers.container(container).delete(force=True, v=True), limit=REMOVE_LIMIT
            )
        except InstanceNotFound:
            return
        except Locked as error:
            # Somebody removes it already, which is what was asked for.
            if "in progress" not in error.detail:
                raise

    async def put(self, container: str, files: Sequence[tuple[SecretFile, str]]) -> None:
        """Put files into a container that was not started yet."""
        archive = pack(files)

        async def upload(docker: Docker) -> None:
            await docker.containers.container(container).put_archive("/", archive)  # type: ignore[no-untyped-call]

        await self._engine.change(upload)

    async def log(self, container: str) -> str:
        """Return the last lines that a container wrote."""
        lines = await self._engine.ask(
            lambda docker: docker.containers.container(container).log(stdout=True, stderr=True, tail=LOG_LINES)
        )
        return "".join(lines)

    async def _list(self, filters: Mapping[str, Any]) -> list[Raw]:
        found = await self._engine.ask(lambda docker: docker.containers.list(all="1", filters=json.dumps(filters)))
        return [one._container for one in found]  # noqa: SLF001  aiodocker shows the entry nowhere else


def pack(files: Iterable[tuple[SecretFile, str]]) -> bytes:
    """Return a tar archive of files and their contents, and of the platform's own folder where one is in it."""
    buffer = io.BytesIO()
    files = tuple(files)
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        if any(file.path.startswith(f"{SECRETS_FOLDER}/") for file, _ in files):
            # The engine would make it closed to everybody but root, whatever the files in it allow.
            folder = tarfile.TarInfo(SECRETS_FOLDER.lstrip("/"))
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
        for file, value in files:
            content = f"{value}\n".encode()
            member = tarfile.TarInfo(posixpath.normpath(file.path).lstrip("/"))
            member.size, member.mode, member.uid, member.gid = len(content), file.mode, file.uid, file.gid
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def used_addresses(listed: Iterable[Raw]) -> set[IPv4Address]:
    """Return the addresses that containers have, or had when they last ran, or are to have when they start."""
    found = set()
    for raw in listed:
        networks = (raw.get("NetworkSettings") or {}).get("Networks") or {}
        texts = [(raw.get("Labels") or {}).get(ADDRESS), *(address_of(raw, name) for name in networks)]
        for text in filter(None, texts):
            try:
                found.add(IPv4Address(text))
            except ValueError:
                continue
    return found


def used_ports(listed: Iterable[Raw]) -> set[int]:
    """Return the ports of the host that containers publish."""
    return {port["PublicPort"] for raw in listed for port in raw.get("Ports") or () if port.get("PublicPort")}
