"""What the guests say of themselves, learnt with few requests.

One request lists all guests. Their Notes are in their configurations, one request each, so these are remembered and
read again in slices: each within :data:`CYCLE` seconds, a few every :data:`SLICE` seconds. Between two slices a look is
one request. What the list itself shows to be another guest (its kind, name, tags), what we changed ourselves, and what
is only half made is read at once: clones come and go, and an id is used again, maybe by another process of ours.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatsubo.domain.labels import parse_notes
from chatsubo.domain.text import N_, Text
from chatsubo.providers.exc import AccessRefused, BackendConnectionException, ProviderError, TimedOut
from chatsubo.providers.pve.config import Vmids
from chatsubo.providers.pve.errors import Moved, PeerAway
from chatsubo.providers.pve.guests import BEING_MADE, Guest, Guests, notes
from chatsubo.providers.pve.labels import FINISHED, SESSION, SNAPSHOT, STATE

CYCLE = 240.0
SLICE = 30.0
RECENT = 2.0
"""Seconds within which a listing of templates and the listing of instances that follows it share one look."""

AWAY = Text(N_("its configuration cannot be read: its node does not answer"))
UNREADABLE = N_("its configuration cannot be read: {detail}")
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
    """What a guest said.

    Attributes:
        seen: What it was.
        epoch: Which changes it may be trusted to show: those that were known of before it was asked.
        tried_at: When it was asked last, with or without success.
        settled: Whether it stays like that until somebody changes it.
    """

    seen: Seen
    epoch: int
    tried_at: float
    settled: bool


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
        self._epoch = 0
        self._all_changed = 0
        self._changed: dict[int, int] = {}
        self._sliced_at = -math.inf
        self._shared: tuple[float, int, Sequence[Seen]] | None = None
        self._turn = asyncio.Lock()
        self._looks: set[asyncio.Task[Sequence[Seen]]] = set()

    def forget(self) -> None:
        """Read everything anew at the next look, also what is being read now."""
        self._epoch += 1
        self._all_changed = self._epoch

    def forget_guest(self, vmid: int) -> None:
        """Read one guest anew at the next look, also if it is being read now."""
        self._epoch += 1
        self._changed[vmid] = self._epoch

    async def look_for_two(self) -> Sequence[Seen]:
        """Look, for this listing and the one that follows at once."""
        began, epoch = self._clock(), self._epoch
        seen = await self.look()
        self._shared = (began, epoch, seen)
        return seen

    async def second_look(self) -> Sequence[Seen]:
        """Return what the listing just before has seen, once; look where there was none, or something was changed."""
        shared, self._shared = self._shared, None
        if shared is not None and self._clock() - shared[0] < RECENT and shared[1] == self._epoch:
            return shared[2]
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
            by_node: dict[str, list[Guest]] = {}
            for guest in self._due(wanted):
                by_node.setdefault(guest.node, []).append(guest)
            await _all(self._read_some(guests) for guests in by_node.values())
            return tuple(self._with(one) for one in wanted if one.vmid in self._memories)

    def _counts(self, guest: Guest) -> bool:
        return self._tag is None or self._tag in guest.tags or self._is_clone(guest)

    def _is_clone(self, guest: Guest) -> bool:
        return self._vmids is not None and guest.vmid in self._vmids

    def _due(self, wanted: Iterable[Guest]) -> list[Guest]:
        due, rest = [], []
        for guest in wanted:
            known = self._memories.get(guest.vmid)
            if known is None or not self._holds(known, guest):
                due.append(guest)
            else:
                rest.append((known.tried_at, guest.vmid, guest))
        return due + self._slice(sorted(rest))

    def _holds(self, known: _Memory, guest: Guest) -> bool:
        """Say whether what is known of a guest is true of it as it is listed now."""
        changed = max(self._all_changed, self._changed.get(guest.vmid, 0))
        unnamed = self._is_clone(guest) and not guest.named
        return (
            known.settled
            and known.epoch >= changed
            and not (guest.being_made or unnamed)
            and not _differs(known.seen.guest, guest)
        )

    def _slice(self, longest_ago_first: Sequence[tuple[float, int, Guest]]) -> list[Guest]:
        since = self._clock() - self._sliced_at
        if since < SLICE:
            return []
        share = min(1.0, since / CYCLE)
        begun = math.isfinite(self._sliced_at)
        self._sliced_at = self._clock()
        count = math.ceil(share * len(longest_ago_first)) if begun else 0
        return [guest for _, _, guest in longest_ago_first[:count]]

    def _with(self, guest: Guest) -> Seen:
        known = self._memories[guest.vmid].seen
        return Seen(guest, known.labels, known.config, known.snapshots, known.reason)

    async def _read_some(self, guests: Sequence[Guest]) -> None:
        """Read guests of one node. The first shows whether it answers: the others need not wait where it is away."""
        first, *others = guests
        away = await self._read(first)
        await _all(self._read(one, away=away) for one in others)

    async def _read(self, guest: Guest, *, away: bool = False) -> bool:
        """Remember what a guest says. One that cannot be asked keeps what is known of it.

        Args:
            guest: Which.
            away: Whether its node is known not to answer.

        Returns:
            Whether its node does not answer.
        """
        epoch, known = self._epoch, self._memories.get(guest.vmid)
        if known is not None:
            known.tried_at = self._clock()
        try:
            if away:
                raise PeerAway(self._guests.client.name, f"the node {guest.node} does not answer")
            seen = await self.ask(guest)
        except Moved:
            # It is gone, or on its way to another node: the next look finds it there.
            return False
        except ProviderError as error:
            reason = _reason(error)
            if known is None:
                if reason is None or self._is_clone(guest):
                    raise
                self._memories[guest.vmid] = _Memory(Seen(guest, reason=reason), epoch, self._clock(), settled=False)
            return reason is AWAY
        self._memories[guest.vmid] = _Memory(seen, epoch, self._clock(), self._is_settled(seen))
        return False

    def _is_settled(self, seen: Seen) -> bool:
        half_made = self._is_clone(seen.guest) and SESSION in seen.labels and seen.labels.get(STATE) != FINISHED
        return not half_made and str(seen.config.get("lock") or "") not in BEING_MADE

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


async def _all(works: Iterable[Awaitable[object]]) -> None:
    """Do all of it, to the end; then raise what came first of what was raised."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def _differs(before: Guest, now: Guest) -> bool:
    # The list lags behind with names alone, and knows none of a guest whose node is away.
    renamed = now.named and before.name != now.name
    return renamed or (before.kind, before.template, before.tags) != (now.kind, now.template, now.tags)


def _reason(error: ProviderError) -> Text | None:
    """Return why one guest cannot be asked; None where the reason is none of its own."""
    if isinstance(error, AccessRefused):
        return REFUSED if "403" in error.detail or "Permission" in error.detail else None
    if isinstance(error, PeerAway | TimedOut):
        return AWAY
    if isinstance(error, BackendConnectionException):
        return None
    return Text(UNREADABLE, {"detail": error.detail})
