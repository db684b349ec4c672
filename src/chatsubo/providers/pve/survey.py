"""What the guests say of themselves, learnt with few requests.

One request lists all guests. Their Notes are in their configurations, one request each, so these are remembered and
read again in slices: each within :data:`CYCLE` seconds, a few every :data:`SLICE` seconds. Between two slices a look is
one request. Guests whose ids are for clones are the exception: they come and go, and are read each time.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatsubo.domain.labels import parse_notes
from chatsubo.domain.text import N_, Text
from chatsubo.providers.exc import AccessRefused, ProviderError
from chatsubo.providers.pve.config import Vmids
from chatsubo.providers.pve.errors import Moved, PeerAway
from chatsubo.providers.pve.guests import Guest, Guests, notes
from chatsubo.providers.pve.labels import SNAPSHOT

CYCLE = 240.0
SLICE = 30.0
RECENT = 2.0
"""Seconds within which a listing of templates and the listing of instances that follows it share one look."""

AWAY = Text(N_("its configuration cannot be read: its node does not answer"))
REFUSED = Text(N_("its configuration may not be read: the token needs the right VM.Audit"))


@dataclass(frozen=True, slots=True)
class Seen:
    """A guest and what is known of it.

    Attributes:
        guest: The guest, as it was listed just now.
        labels: The labels in its Notes.
        config: Its configuration, up to some minutes old.
        snapshots: Its snapshots, where its configuration alone does not tell what to go back to.
        reason: Why nothing is known of it.
    """

    guest: Guest
    labels: dict[str, str] = field(default_factory=dict, repr=False)
    config: dict[str, Any] = field(default_factory=dict, repr=False)
    snapshots: frozenset[str] = frozenset()
    reason: Text | None = None


@dataclass(slots=True)
class _Memory:
    seen: Seen
    read_at: float


class Survey:
    """The guests that may be boxes, and what they say.

    Args:
        guests: To ask Proxmox.
        tag: Only guests with this tag are asked for more; all where it is None.
        vmids: The ids of clones, whose guests count whatever their tags.
        clock: Returns seconds that only ever grow.
    """

    def __init__(
        self, guests: Guests, tag: str | None, vmids: Vmids | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._guests = guests
        self._tag = tag
        self._vmids = vmids
        self._clock = clock
        self._memories: dict[int, _Memory] = {}
        self._valid_from = -math.inf
        self._sliced_at = -math.inf
        self._shared: tuple[float, Sequence[Seen]] | None = None
        self._turn = asyncio.Lock()
        self._looks: set[asyncio.Task[Sequence[Seen]]] = set()

    def forget(self) -> None:
        """Read everything anew at the next look."""
        self._valid_from = self._clock()
        self._shared = None

    def forget_guest(self, vmid: int) -> None:
        """Read one guest anew at the next look."""
        self._memories.pop(vmid, None)
        self._shared = None

    async def look_for_two(self) -> Sequence[Seen]:
        """Look, for this listing and the one that follows at once."""
        began = self._clock()
        seen = await self.look()
        self._shared = (began, seen)
        return seen

    async def second_look(self) -> Sequence[Seen]:
        """Return what the listing just before has seen, once; look where there was none, or something was changed."""
        shared, self._shared = self._shared, None
        if shared is not None and self._clock() - shared[0] < RECENT:
            return shared[1]
        return await self.look()

    async def look(self) -> Sequence[Seen]:
        """Return the guests as they are now.

        A first look at a large cluster takes long. It goes on when its caller gives up, and the next one profits.

        Raises:
            ProviderError: As Proxmox answers.
        """
        task = asyncio.ensure_future(self._look())
        self._looks.add(task)
        task.add_done_callback(self._looked)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Call off what is under way."""
        for task in (looks := set(self._looks)):
            task.cancel()
        if looks:
            await asyncio.wait(looks)

    def _looked(self, task: asyncio.Task[Sequence[Seen]]) -> None:
        self._looks.discard(task)
        if not task.cancelled():
            task.exception()

    async def _look(self) -> Sequence[Seen]:
        async with self._turn:
            wanted = [one for one in await self._guests.all() if self._counts(one)]
            self._memories = {one.vmid: self._memories[one.vmid] for one in wanted if one.vmid in self._memories}
            due = self._due(wanted)
            outcomes = await asyncio.gather(*(self._read(one) for one in due), return_exceptions=True)
            for outcome in outcomes:
                if isinstance(outcome, BaseException):
                    raise outcome
            return tuple(self._with(one) for one in wanted if one.vmid in self._memories)

    def _counts(self, guest: Guest) -> bool:
        return self._tag is None or self._tag in guest.tags or self._is_clone(guest)

    def _is_clone(self, guest: Guest) -> bool:
        return self._vmids is not None and guest.vmid in self._vmids

    def _due(self, wanted: Iterable[Guest]) -> list[Guest]:
        due, rest = [], []
        for guest in wanted:
            known = self._memories.get(guest.vmid)
            is_due = known is None or known.read_at < self._valid_from or self._is_clone(guest)
            if is_due or known is None or _differs(known.seen.guest, guest) or known.seen.reason is not None:
                due.append(guest)
            else:
                rest.append((known.read_at, guest.vmid, guest))
        return due + self._slice(sorted(rest))

    def _slice(self, oldest_first: Sequence[tuple[float, int, Guest]]) -> list[Guest]:
        since = self._clock() - self._sliced_at
        if since < SLICE:
            return []
        share = min(1.0, since / CYCLE)
        begun = math.isfinite(self._sliced_at)
        self._sliced_at = self._clock()
        return [guest for _, _, guest in oldest_first[: math.ceil(share * len(oldest_first))]] if begun else []

    def _with(self, guest: Guest) -> Seen:
        known = self._memories[guest.vmid].seen
        return Seen(guest, known.labels, known.config, known.snapshots, known.reason)

    async def _read(self, guest: Guest) -> None:
        """Remember what a guest says. One that cannot be asked keeps what is known of it."""
        now = self._clock()
        try:
            seen = await self.ask(guest)
        except Moved:
            # It is gone, or on its way to another node: the next look finds it there.
            if self._is_clone(guest):
                self._memories.pop(guest.vmid, None)
            return
        except ProviderError as error:
            if guest.vmid in self._memories:
                return
            reason = _reason(error)
            if reason is None or self._is_clone(guest):
                raise
            seen = Seen(guest, reason=reason)
        self._memories[guest.vmid] = _Memory(seen, now)

    async def ask(self, guest: Guest) -> Seen:
        """Return what a guest says, asked just now.

        Raises:
            ProviderError: As Proxmox answers.
        """
        config = await self._guests.config(guest)
        labels = parse_notes(notes(config))
        named = labels.get(SNAPSHOT, "").strip()
        snapshots: frozenset[str] = frozenset()
        if named and named != config.get("parent"):
            snapshots = frozenset(await self._guests.snapshots(guest)) - {"current"}
        return Seen(guest, labels, config, snapshots)


def _differs(before: Guest, now: Guest) -> bool:
    return (before.kind, before.template, before.tags) != (now.kind, now.template, now.tags)


def _reason(error: ProviderError) -> Text | None:
    if isinstance(error, AccessRefused):
        return REFUSED if "403" in error.detail or "Permission" in error.detail else None
    return AWAY if isinstance(error, PeerAway) else None
