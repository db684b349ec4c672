"""Resets of the machines that all players share: a rollback, waited for, and started again."""

import time
from collections.abc import Sequence
from functools import partial

import structlog

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import NoProgress, Progress
from chatsubo.providers.exc import BackendConnectionException, InstanceNotFound, TimedOut
from chatsubo.providers.pve.catalogue import ClassicMachine
from chatsubo.providers.pve.cluster import Cluster
from chatsubo.providers.pve.errors import AlreadyThere, UnknownParameter
from chatsubo.providers.pve.guests import Guest, Guests
from chatsubo.providers.pve.instance import PveInstance
from chatsubo.providers.pve.survey import AWAY, Seen
from chatsubo.providers.pve.tasks import Tasks, patiently

LOOKING = Text(N_("Looking for the machine"))
ROLLING_BACK = N_("Bringing the machine back to its snapshot {name}")
STARTING = Text(N_("Starting the machine"))

log = structlog.get_logger(__name__)


class Classic:
    """The classic machines of one provider.

    Args:
        cluster: Where they are.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def reset(self, realm: str, template: str, deadline: float, progress: Progress | None = None) -> PveInstance:
        """Bring a machine back to its snapshot, start it, and return it as it is then.

        It may be called again after being cut off at any point: a rollback that is under way is a lock, which is
        waited for, and a second rollback does no harm.

        Args:
            realm: The machine's realm.
            template: What it is, by its label.
            deadline: When to give up, in seconds of :func:`time.monotonic`.
            progress: Where to tell how it goes.

        Raises:
            InstanceNotFound: There is no such machine.
            ProviderError: As Proxmox answers.
        """
        told = progress or NoProgress()
        told.stage(LOOKING)
        machine = await patiently(partial(self._find, realm, template), deadline)
        vmid = machine.seen.guest.vmid
        told.stage(Text(ROLLING_BACK, {"name": machine.snapshot}))
        log.info("pve.reset", provider=self._cluster.provider, vmid=vmid, snapshot=machine.snapshot)
        await patiently(partial(self._roll_back, vmid, machine.snapshot, deadline), deadline)
        told.stage(STARTING)
        await patiently(partial(self._ensure_running, vmid, deadline), deadline)
        self._cluster.survey.forget_guest(vmid)
        instance = (await patiently(partial(self._find, realm, template), deadline)).instance
        # The list of resources lags behind; that it runs was seen on its node.
        instance.running = True
        return instance

    async def _find(self, realm: str, template: str) -> ClassicMachine:
        """Return the machine as its Notes say this moment, not as they did some minutes ago."""
        seen = await self._cluster.survey.look()
        known = self._in(seen, realm, template)
        if known is None:
            away = next((one for one in seen if one.reason is AWAY), None)
            if away is not None:
                raise BackendConnectionException(
                    f"pve/{self._cluster.provider}", f"the node {away.guest.node} does not answer"
                )
            raise InstanceNotFound(f"there is no classic machine of {template!r} in the realm {realm!r}")
        fresh = self._in([await self._cluster.survey.ask(known.seen.guest)], realm, template)
        if fresh is None:
            raise InstanceNotFound(f"the machine {known.instance.name!r} carries other labels now, or no snapshot")
        return fresh

    def _in(self, seen: Sequence[Seen], realm: str, template: str) -> ClassicMachine | None:
        found = self._cluster.sort(seen).classic
        wanted = (one for one in found if (one.instance.realm, one.instance.template) == (realm, template))
        return next(wanted, None)

    async def _roll_back(self, vmid: int, snapshot: str, deadline: float) -> None:
        """Roll back wherever the machine is now, and wait for the end of the task."""
        guest = await self._cluster.guests.find(vmid)
        try:
            upid = await self._cluster.guests.rollback(guest, snapshot, start=True)
        except UnknownParameter:
            # Versions before 7.4 do not start it themselves.
            upid = await self._cluster.guests.rollback(guest, snapshot, start=False)
        await self._cluster.tasks.done(upid, deadline)

    async def _ensure_running(self, vmid: int, deadline: float) -> None:
        guest = await self._cluster.guests.find(vmid)
        if not await self._cluster.guests.is_running(guest):
            await start(self._cluster.guests, self._cluster.tasks, guest, deadline)
        if not await self._cluster.guests.is_running(guest):
            raise TimedOut(f"pve/{self._cluster.provider}: the guest {vmid} does not stay up after its reset")


async def start(guests: Guests, tasks: Tasks, guest: Guest, deadline: float) -> None:
    """Start a guest and wait for the end of the task; one that runs already is fine.

    Raises:
        ProviderError: As Proxmox answers.
    """
    try:
        await tasks.done(await guests.post(guest, "status/start"), deadline)
    except AlreadyThere:
        return


def reset_deadline(limit: float) -> float:
    """Return when a reset that may take ``limit`` seconds has to give up, so that it can still say why."""
    return time.monotonic() + 0.95 * limit
