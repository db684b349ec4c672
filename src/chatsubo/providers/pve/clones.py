"""Clones: how one is made, found again and removed."""

import asyncio
import contextlib
import hashlib
import re
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from chatsubo.domain.labels import PREFIX, parse_notes
from chatsubo.providers.base import StartOrder
from chatsubo.providers.exc import Cancelled, Locked, NoCapacity, ProviderError, TemplateNotFound
from chatsubo.providers.pve.cluster import Cluster
from chatsubo.providers.pve.config import Dynamic
from chatsubo.providers.pve.errors import AgentAway, AlreadyThere, Moved, VmidTaken
from chatsubo.providers.pve.guests import BEING_MADE, Guest, notes
from chatsubo.providers.pve.instance import PveInstance
from chatsubo.providers.pve.instance import generation as generation_of
from chatsubo.providers.pve.labels import GENERATION, PROVIDER, READY, REALM, SESSION, TEMPLATE, fill
from chatsubo.providers.pve.survey import Seen
from chatsubo.providers.pve.tasks import patiently
from chatsubo.providers.pve.template import PveTemplate

REMOVING = 50.0
"""Seconds that the removal of a clone may take."""
SPARE = 20.0
"""Seconds for which a start may wait to remove what an earlier try of it left."""
HEADING = "Made by Chatsubo for one session, at whose end it is removed. Do not edit."
_COPIED = (f"{PREFIX}flags.", f"{PREFIX}creds.", READY)
_LONGEST_STEM = 40


class Clones:
    """The clones of one provider.

    Args:
        cluster: Where they are.
        dynamic: What is configured for them.
    """

    def __init__(self, cluster: Cluster, dynamic: Dynamic) -> None:
        self._cluster = cluster
        self._dynamic = dynamic
        self._cloning = asyncio.Semaphore(dynamic.max_concurrent_clones)
        self._taken: set[int] = set()

    async def template(self, name: str) -> PveTemplate:
        """Return a template as its Notes say this moment, not as they did some minutes ago.

        Raises:
            TemplateNotFound: There is none of that name.
            ProviderError: As Proxmox answers.
        """
        known = self._cluster.sort(await self._cluster.survey.look()).templates.get(name)
        fresh = self._cluster.sort([await self._cluster.survey.ask(known.guest)]) if known else None
        if fresh is None or name not in fresh.templates:
            raise TemplateNotFound(f"pve/{self._cluster.provider} has no template {name!r} to make clones of")
        return fresh.templates[name]

    async def of_session(self, session: str) -> list[tuple[Seen, PveInstance]]:
        """Return the clones of a session, finished or not, as their Notes say this moment."""
        known = self._cluster.sort(await self._cluster.survey.look()).clones
        fresh = [await self._cluster.survey.ask(seen.guest) for seen, one in known if one.session == session]
        return [one for one in self._cluster.sort(fresh).clones if one[1].session == session]

    async def make(
        self, template: PveTemplate, order: StartOrder, labels: Mapping[str, str], wanted: int | None, made: set[int]
    ) -> Guest:
        """Make a clone and return it; it is not started.

        Args:
            template: What to make it from.
            order: For which session.
            labels: What identifies it.
            wanted: The id to take if it is free.
            made: Where each id is added before it is asked for.

        Raises:
            NoCapacity: No id is left.
            ProviderError: As Proxmox answers.
        """
        for vmid in self._vmids(order.id, wanted, await self._in_use()):
            made.add(vmid)
            self._taken.add(vmid)
            try:
                guest = await self._make_at(vmid, template, order, labels)
            finally:
                self._taken.discard(vmid)
            if guest is not None:
                return guest
        raise NoCapacity(
            f"pve/{self._cluster.provider}: no id is left in {self._dynamic.vmids.first}-{self._dynamic.vmids.last}"
        )

    async def remove(self, vmid: int, session: str, generation: int | None = None, *, limit: float = REMOVING) -> None:
        """Stop and remove a clone of a session. One that is gone already, or is not the session's, is a success.

        Args:
            vmid: Its id.
            session: Whose it must be.
            generation: The latest that it may be of; any if None.
            limit: Seconds that it may take.

        Raises:
            ProviderError: As Proxmox answers.
        """
        deadline = time.monotonic() + limit
        try:
            await patiently(partial(self._remove, vmid, session, generation, deadline), deadline)
        except Moved:
            return
        finally:
            self._cluster.survey.forget_guest(vmid)

    async def _make_at(
        self, vmid: int, template: PveTemplate, order: StartOrder, labels: Mapping[str, str]
    ) -> Guest | None:
        """Make a clone of that id and return it; None where the id is somebody else's."""
        for _ in range(2):
            try:
                async with self._cloning:
                    await patiently(partial(self._clone, template, vmid, order, labels), order.deadline)
                return await patiently(partial(self._cluster.guests.find, vmid), order.deadline, passing=(Moved,))
            except VmidTaken:
                if not await self._freed(vmid, order):
                    return None
        return None

    async def _freed(self, vmid: int, order: StartOrder) -> bool:
        """Remove what has an id if it is of this session, and say whether the id is free then.

        It is where an earlier try was killed, or its answer was lost; while it is copied nobody can see whose it is.
        """
        try:
            await self.remove(vmid, order.id, order.generation, limit=min(SPARE, order.seconds_left / 2))
        except ProviderError:
            return False
        return all(one.vmid != vmid for one in await self._cluster.guests.all())

    async def _clone(self, template: PveTemplate, vmid: int, order: StartOrder, labels: Mapping[str, str]) -> None:
        try:
            source = await self._cluster.guests.find(template.guest.vmid)
        except Moved:
            raise TemplateNotFound(f"the template {template.name} is gone") from None
        linked = source.template
        asked: dict[str, Any] = {"newid": vmid, "full": not linked, "description": description(labels)}
        asked["name" if source.kind == "qemu" else "hostname"] = name_of(template.name, order)
        if self._dynamic.pool is not None:
            asked["pool"] = self._dynamic.pool
        if self._dynamic.storage is not None and not linked:
            asked["storage"] = self._dynamic.storage
        await self._cluster.tasks.done(await self._cluster.guests.post(source, "clone", asked), order.deadline)

    async def _remove(self, vmid: int, session: str, generation: int | None, deadline: float) -> None:
        guest = await self._cluster.guests.find(vmid)
        config = await self._cluster.guests.config(guest)
        labels = parse_notes(notes(config))
        ours = labels.get(PROVIDER) == self._cluster.provider and labels.get(SESSION) == session
        if not labels and str(config.get("lock") or "") in BEING_MADE:
            # While it is copied its Notes are Proxmox's own: whose it is shows when that is done.
            raise Locked(f"pve/{self._cluster.provider}: the guest {vmid} is being made")
        if not ours or (generation is not None and generation_of(labels) > generation):
            return
        if await self._cluster.guests.is_running(guest):
            # One that has stopped by itself meanwhile is told in the words of its agent, too.
            with contextlib.suppress(AlreadyThere, AgentAway):
                await self._cluster.tasks.done(await self._cluster.guests.post(guest, "status/stop"), deadline)
        if str(config.get("protection") or "0") == "1":
            await self._cluster.guests.put(guest, "config", {"protection": False})
        asked = {"purge": True, "destroy-unreferenced-disks": True}
        await self._cluster.tasks.done(await self._cluster.guests.client.change("DELETE", guest.path, asked), deadline)

    async def _in_use(self) -> set[int]:
        """Return the ids of guests, but for those being made: one of these may be ours, from before we were killed."""
        return {one.vmid for one in await self._cluster.guests.all() if not one.being_made}

    def _vmids(self, session: str, wanted: int | None, in_use: set[int]) -> Iterator[int]:
        """Yield the free ids: the wanted one, then from a place on that depends on the session, round the range."""
        vmids = self._dynamic.vmids
        if wanted is not None and wanted in vmids and wanted not in in_use | self._taken:
            yield wanted
        begin = int.from_bytes(hashlib.sha256(session.encode()).digest()[:8]) % vmids.size
        for step in range(vmids.size):
            vmid = vmids.first + (begin + step) % vmids.size
            if vmid not in in_use and vmid not in self._taken and vmid != wanted:
                yield vmid


def claimed(config: Mapping[str, Any], order: StartOrder) -> str:
    """Return the digest of a clone's configuration, for a change that is refused if somebody changes it meanwhile.

    Raises:
        Cancelled: It is not of this session and generation any more: this process slept while another one went on.
    """
    labels = parse_notes(notes(config))
    if (labels.get(SESSION), generation_of(labels)) != (order.id, order.generation):
        raise Cancelled(f"the clone of the session {order.id} is not of its generation {order.generation} any more")
    return str(config["digest"])


def identity(provider: str, realm: str, template: PveTemplate, order: StartOrder) -> dict[str, str]:
    """Return the labels of a clone: whose it is, and what its template tells players with the session's values."""
    told = {key: fill(value, order.values) for key, value in template.written.items() if key.startswith(_COPIED)}
    return told | {
        SESSION: order.id,
        GENERATION: str(order.generation),
        PROVIDER: provider,
        TEMPLATE: template.name,
        REALM: realm,
    }


def description(labels: Mapping[str, str]) -> str:
    """Return the Notes of a clone."""
    return "\n".join([HEADING, *(f"{key}={value}" for key, value in sorted(labels.items()))])


def name_of(template: str, order: StartOrder) -> str:
    """Return the name of a clone: a host name that tells template, session and generation."""
    stem = re.sub(r"[^a-z0-9]+", "-", template.lower()).strip("-")[:_LONGEST_STEM].strip("-") or "box"
    return f"{stem}-{order.id[:8]}-g{order.generation}"
