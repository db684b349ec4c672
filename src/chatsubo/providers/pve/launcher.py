"""Starting, resetting and stopping the clones of sessions.

A reset destroys the clone and makes it anew under the same id, and so at the same address (see docs/decisions).
"""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

import structlog

from chatsubo.domain.labels import read_metadata
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Readiness, StartOrder
from chatsubo.providers.exc import Cancelled, Misconfigured, NotReady, ProviderError
from chatsubo.providers.pve.agent import Agent
from chatsubo.providers.pve.classic import STARTING, start
from chatsubo.providers.pve.clones import REMOVING as REMOVAL
from chatsubo.providers.pve.clones import SPARE, Clones, claimed, description, identity
from chatsubo.providers.pve.cluster import Cluster
from chatsubo.providers.pve.config import Dynamic
from chatsubo.providers.pve.errors import AgentAway, AlreadyThere, Moved
from chatsubo.providers.pve.guests import Guest
from chatsubo.providers.pve.instance import PveInstance
from chatsubo.providers.pve.labels import ADDRESS, FINISHED, STATE, fill
from chatsubo.providers.pve.networks import address_for, card, fence, mac_of, network_of, other_cards
from chatsubo.providers.pve.survey import Seen
from chatsubo.providers.pve.tasks import Pause, patiently
from chatsubo.providers.pve.template import PveTemplate

COPYING = Text(N_("Copying the machine from its template"))
REMOVING = Text(N_("Removing the machine as it was"))
SETTING_UP = Text(N_("Setting up its network"))
WAITING = Text(N_("Waiting for the machine to boot"))
VALUES = Text(N_("Bringing this session's values in"))
PORT = N_("Waiting for port {port}")
CLEANING = 60.0
"""Seconds that cleaning up after a failure may take."""
CONNECT = 2.0

log = structlog.get_logger(__name__)

Found = tuple[Seen, PveInstance]


class Launcher:
    """The clones of one provider's sessions.

    Args:
        cluster: Where they are.
        dynamic: What is configured for them.
    """

    def __init__(self, cluster: Cluster, dynamic: Dynamic) -> None:
        self._cluster = cluster
        self._dynamic = dynamic
        self._clones = Clones(cluster, dynamic)
        self._agent = Agent(cluster.guests)

    async def launch(self, realm: str, template: str, order: StartOrder) -> PveInstance:
        """Bring up the clone of a session and generation, and return it.

        What is finished of this generation and runs is adopted; all else of the session is removed.

        Raises:
            Cancelled: There is a later generation already.
            ProviderError: As for a start.
        """
        made: set[int] = set()
        try:
            instance = await self._launch(realm, template, order, made)
            if made:
                # Another process may have gone on while this one slept, or what it left may have shown whose it is.
                found = await self._found(order)
                half = {seen.guest.vmid for seen, _ in found if seen.labels.get(STATE) != FINISHED}
                await self._drop((made | half) - {instance.id}, order)
        except BaseException:
            await self._clean(order, made)
            raise
        return instance

    async def remove(self, session: str) -> None:
        """Remove all clones of a session. What is gone already is a success.

        Raises:
            ProviderError: As Proxmox answers.
        """
        limit = time.monotonic() + REMOVAL
        found = await patiently(partial(self._clones.of_session, session), limit)
        await self._remove_all(found, session)

    async def _launch(self, realm: str, template: str, order: StartOrder, made: set[int]) -> PveInstance:
        found = await self._found(order)
        adopted = await self._adopt(found, order)
        if adopted is not None:
            return adopted
        if realm not in self._cluster.config.realms:
            raise Misconfigured(f"pve/{self._cluster.provider} does not serve the realm {realm!r}")
        network_of(self._dynamic, realm)
        source = await patiently(partial(self._clones.template, template), order.deadline)
        before = max(found, key=lambda one: one[1].generation, default=None)
        if found:
            order.progress.stage(REMOVING)
            await self._remove_all(found, order.id, order.generation)
        return await self._make(realm, source, order, before[0] if before else None, made)

    async def _found(self, order: StartOrder) -> list[Found]:
        """Return what there is of a session; none of it is of a later generation."""
        found = await patiently(partial(self._clones.of_session, order.id), order.deadline)
        if any(one.generation > order.generation for _, one in found):
            raise Cancelled(f"the session {order.id} has a later generation than {order.generation}")
        return found

    async def _adopt(self, found: list[Found], order: StartOrder) -> PveInstance | None:
        """Return the finished clone of this generation, if it runs; what else there is of the session goes."""
        for seen, instance in found:
            finished = seen.labels.get(STATE) == FINISHED and instance.generation == order.generation
            if finished and await self._runs(seen.guest.vmid, order):
                await self._remove_all([one for one in found if one[0] is not seen], order.id, order.generation)
                instance.running = True
                return instance
        return None

    async def _runs(self, vmid: int, order: StartOrder) -> bool:
        """Say whether a clone runs, wherever it is now; one that is gone does not."""

        async def look() -> bool:
            return await self._cluster.guests.is_running(await self._cluster.guests.find(vmid))

        try:
            return await patiently(look, order.deadline)
        except Moved:
            return False

    async def _remove_all(self, found: list[Found], session: str, generation: int | None = None) -> None:
        for seen, _ in found:
            await self._clones.remove(seen.guest.vmid, session, generation)

    async def _make(
        self, realm: str, source: PveTemplate, order: StartOrder, before: Seen | None, made: set[int]
    ) -> PveInstance:
        labels = identity(self._cluster.provider, realm, source, order)
        order.progress.stage(COPYING)
        wanted = before.guest.vmid if before else None
        guest = await self._clones.make(source, order, labels, wanted, made)
        order.progress.stage(SETTING_UP)
        await patiently(partial(self._set_up, guest, realm, source, order, before), order.deadline)
        order.progress.stage(STARTING)
        await patiently(
            partial(start, self._cluster.guests, self._cluster.tasks, guest, order.deadline), order.deadline
        )
        address, readiness = await self._settle(guest, realm, source, order)
        labels |= {ADDRESS: address, STATE: FINISHED}
        await patiently(partial(self._finish, guest, labels, order), order.deadline)
        instance = PveInstance.clone(guest, labels, read_metadata(labels))
        instance.running, instance.readiness = True, readiness
        return instance

    async def _finish(self, guest: Guest, labels: Mapping[str, str], order: StartOrder) -> None:
        digest = claimed(await self._cluster.guests.config(guest), order)
        await self._cluster.guests.put(guest, "config", {"description": description(labels), "digest": digest})
        self._cluster.survey.forget_guest(guest.vmid)

    async def _set_up(
        self, guest: Guest, realm: str, source: PveTemplate, order: StartOrder, before: Seen | None
    ) -> None:
        """Give a clone its network, its firewall rules, and what cloud-init is to know."""
        config = await self._cluster.guests.config(guest)
        network = network_of(self._dynamic, realm)
        mac = mac_of(before.config) if before else ""
        values: dict[str, str | bool] = {"digest": claimed(config, order)}
        values |= card(guest, config, network, self._dynamic, mac)
        if others := other_cards(config):
            values["delete"] = ",".join(others)
        if guest.kind == "qemu":
            values |= _cloud_init(source, order)
        if str(config.get("protection") or "0") == "1":
            values["protection"] = False
        await self._cluster.guests.put(guest, "config", values)
        await fence(self._cluster.guests, guest, network, self._dynamic)

    async def _settle(self, guest: Guest, realm: str, source: PveTemplate, order: StartOrder) -> tuple[str, Readiness]:
        """Wait until a clone is ready, bring its values in, and return its address and how it is known to be ready."""
        deadline = min(order.deadline, time.monotonic() + self._cluster.config.ready_timeout)
        fixed = address_for(self._dynamic, realm, guest.vmid)
        if source.has_agent:
            order.progress.stage(WAITING)
            await self._agent.ready(guest, deadline)
            if source.options.inside:
                order.progress.stage(VALUES)
                await self._bring_in(guest, source, order, deadline)
        elif fixed is None and guest.kind == "qemu":
            raise Misconfigured("its address is not known: turn the guest agent on, or configure addresses")
        address = str(fixed) if fixed else await self._told_address(guest, deadline)
        port = source.metadata.ready if self._dynamic.reachable else None
        if port is not None:
            order.progress.stage(Text(PORT, {"port": port}))
            await _listening(address, port, deadline)
        if not await self._cluster.guests.is_running(guest):
            raise NotReady(f"the clone {guest.vmid} stopped right after its start")
        return address, Readiness.STARTED if port is None else Readiness.LISTENING

    async def _told_address(self, guest: Guest, deadline: float) -> str:
        card = mac_of(await self._cluster.guests.config(guest))
        return await self._agent.address(guest, card, deadline)

    async def _bring_in(self, guest: Guest, source: PveTemplate, order: StartOrder, deadline: float) -> None:
        passing: tuple[type[ProviderError], ...] = (AgentAway, AlreadyThere)
        for file in source.options.files:
            write = partial(self._agent.write, guest, file, order.values.get(file.slot, ""), deadline)
            await patiently(write, deadline, passing=passing)
        if source.options.program:
            told = "".join(f"{name}={order.values[name]}\n" for name in sorted(source.options.named | {"SESSION"}))
            await self._agent.run(guest, [source.options.program], deadline, told)

    async def _drop(self, spare: set[int], order: StartOrder) -> None:
        """Remove what an earlier try of this start left behind, whose answer was lost, or who was killed.

        The start is done: what is still being copied is removed later, with the session or by reconciliation.
        """
        for vmid in sorted(spare):
            try:
                await self._clones.remove(vmid, order.id, order.generation, limit=min(SPARE, order.seconds_left / 2))
            except ProviderError as error:
                log.warning("pve.leftover", provider=self._cluster.provider, session=order.id, reason=str(error))

    async def _clean(self, order: StartOrder, made: set[int]) -> None:
        """Remove what a failed or cancelled start left; what cannot be removed now, reconciliation removes later."""
        if not made:
            return
        task = asyncio.ensure_future(self._remove_made(order, made))
        try:
            async with asyncio.timeout(CLEANING):
                await asyncio.shield(task)
        except (ProviderError, TimeoutError) as error:
            log.warning("pve.leftover", provider=self._cluster.provider, session=order.id, reason=str(error))
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=CLEANING)
            raise

    async def _remove_made(self, order: StartOrder, made: set[int]) -> None:
        for vmid in sorted(made):
            await self._clones.remove(vmid, order.id, order.generation)


def _cloud_init(source: PveTemplate, order: StartOrder) -> dict[str, str]:
    options = source.options
    asked = {"ciuser": options.user, "cipassword": options.password, "sshkeys": options.keys}
    filled = {key: fill(text, order.values) for key, text in asked.items() if text}
    if "sshkeys" in filled:
        # Proxmox wants this one encoded within the encoded form.
        filled["sshkeys"] = quote(filled["sshkeys"], safe="")
    return filled


async def _listening(address: str, port: int, deadline: float) -> None:
    pause = Pause(deadline)
    while True:
        try:
            async with asyncio.timeout(CONNECT):
                _, writer = await asyncio.open_connection(address, port)
        except (OSError, TimeoutError):
            if pause.over:
                raise NotReady(f"nothing listens on port {port}") from None
        else:
            writer.transport.abort()
            return
        await pause.wait()
