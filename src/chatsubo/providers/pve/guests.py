"""The guests of a cluster, virtual machines and containers, and what can be asked of one."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote

from chatsubo.providers.exc import BackendConnectionException, ProviderError
from chatsubo.providers.pve.client import Client, Values
from chatsubo.providers.pve.config import Vmids
from chatsubo.providers.pve.errors import Moved

Raw = Mapping[str, Any]

BEING_MADE = frozenset({"clone", "create"})
"""The locks of a guest whose disks are being copied: its Notes are not its own yet."""

LATE = 30.0
"""Seconds by which the list of resources may be late to tell that a guest runs: its nodes tell it every ten."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest, as the list of the cluster's resources shows it.

    Attributes:
        vmid: Its id, unique in the cluster.
        kind: ``qemu`` for a virtual machine, ``lxc`` for a container.
        node: Where it is now: guests migrate.
        name: Its name; made of its id while the cluster does not know it yet.
        running: Whether it runs; up to ten seconds old.
        template: Whether it is a template.
        tags: Its tags.
        lock: What holds it: ``backup``, ``migrate``, ...
    """

    vmid: int
    kind: Literal["qemu", "lxc"]
    node: str
    name: str
    running: bool = False
    template: bool = False
    tags: frozenset[str] = frozenset()
    lock: str = ""

    @property
    def path(self) -> str:
        """Its place in the API."""
        return f"/nodes/{self.node}/{self.kind}/{self.vmid}"

    @property
    def named(self) -> bool:
        """Whether the list of resources knows its name already."""
        return self.name != str(self.vmid)

    @property
    def being_made(self) -> bool:
        """Whether its disks are being copied."""
        return self.lock in BEING_MADE


class Guests:
    """The guests that we may see.

    Args:
        client: The connection.
        nodes: The nodes that count; all where there are none.
        vmids: The ids of clones, which count wherever they were moved to.
    """

    def __init__(self, client: Client, nodes: tuple[str, ...] = (), vmids: Vmids | None = None) -> None:
        self.client = client
        self._nodes = frozenset(nodes)
        self._vmids = vmids
        self._seen_up: dict[int, float] = {}

    async def all(self) -> list[Guest]:
        """Return all guests by one request, whatever node they are on.

        Raises:
            ProviderError: As Proxmox answers.
        """
        listed = await self.client.get_rows("/cluster/resources", "vmid", {"type": "vm"})
        try:
            found = [self._up_to_date(_guest(raw)) for raw in listed]
        except (AttributeError, TypeError, KeyError, ValueError) as error:
            raise BackendConnectionException(self.client.name, f"a list of guests that is none: {error!r}") from None
        return sorted((one for one in found if self._counts(one)), key=lambda one: one.vmid)

    def _counts(self, guest: Guest) -> bool:
        is_clone = self._vmids is not None and guest.vmid in self._vmids
        return not self._nodes or guest.node in self._nodes or is_clone

    def _up_to_date(self, guest: Guest) -> Guest:
        """Return a guest as running where it was a moment ago, by its node itself: the list does not know that yet."""
        seen_up = self._seen_up.get(guest.vmid)
        if guest.running or seen_up is None or time.monotonic() - seen_up > LATE:
            return guest
        return replace(guest, running=True)

    async def find(self, vmid: int) -> Guest:
        """Return a guest as it is now, on whatever node.

        Raises:
            Moved: It is gone.
        """
        for guest in await self.all():
            if guest.vmid == vmid:
                return guest
        raise Moved(f"{self.client.name}: there is no guest {vmid}")

    async def config(self, guest: Guest) -> dict[str, Any]:
        """Return the configuration that a guest has now.

        Raises:
            ProviderError: As Proxmox answers.
        """
        config = await self.client.get_object(f"{guest.path}/config", {"current": True})
        if "digest" not in config:
            raise ProviderError(f"{self.client.name}: a configuration of the guest {guest.vmid} that is none")
        return config

    async def snapshots(self, guest: Guest) -> dict[str, str]:
        """Return the snapshots of a guest, each with its parent; ``current`` stands for the present state."""
        listed = await self.client.get_rows(f"{guest.path}/snapshot", "name")
        return {str(one["name"]): str(one.get("parent") or "") for one in listed}

    async def is_running(self, guest: Guest) -> bool:
        """Say whether a guest runs, as its node knows it this moment."""
        runs = (await self.client.get_object(f"{guest.path}/status/current")).get("status") == "running"
        if runs:
            self._seen_up[guest.vmid] = time.monotonic()
        else:
            self._seen_up.pop(guest.vmid, None)
        return runs

    async def post(self, guest: Guest, action: str, values: Values | None = None) -> Any:
        """Do something to a guest and return the answer: mostly the id of a task.

        Args:
            guest: Which.
            action: The path below its own, as in ``status/start``.
            values: The parameters.
        """
        return await self.client.change("POST", f"{guest.path}/{action}", values)

    async def put(self, guest: Guest, action: str, values: Values) -> Any:
        """Set something of a guest."""
        return await self.client.change("PUT", f"{guest.path}/{action}", values)

    async def rollback(self, guest: Guest, snapshot: str, *, start: bool) -> str:
        """Begin to bring a guest back to a snapshot, and return the task's id."""
        values: Values = {"start": True} if start else {}
        return str(await self.post(guest, f"snapshot/{quote(snapshot, safe='')}/rollback", values))


def notes(config: Raw) -> str:
    """Return the Notes of a guest."""
    return str(config.get("description") or "")


def properties(text: str) -> dict[str, str]:
    """Return a property string (``virtio=BC:24:..,bridge=vmbr0``) as a dictionary, in its order."""
    pairs = (part.partition("=") for part in text.split(",") if part)
    return {key: value for key, _, value in pairs}


def property_string(values: Mapping[str, str]) -> str:
    """Return the opposite of :func:`properties`."""
    return ",".join(f"{key}={value}" for key, value in values.items())


def _guest(raw: Raw) -> Guest:
    if raw.get("type") not in ("qemu", "lxc"):
        raise ValueError(f"no guest: {json.dumps(raw)[:80]}")
    vmid = int(raw["vmid"])
    return Guest(
        vmid,
        raw["type"],
        str(raw["node"]),
        str(raw.get("name") or vmid),
        running=raw.get("status") == "running",
        # Left out where it is false, since version 7.
        template=str(raw.get("template") or "0") == "1",
        tags=frozenset(filter(None, str(raw.get("tags") or "").replace(",", ";").lower().split(";"))),
        lock=str(raw.get("lock") or ""),
    )
