"""What the database says compared with what providers list, after each good listing."""

from collections.abc import Callable, Mapping, Sequence

import structlog

from chatsubo.domain.clock import Clock
from chatsubo.domain.sessions import State
from chatsubo.domain.text import N_, Text
from chatsubo.lab.strays import Strays
from chatsubo.live.news import News
from chatsubo.providers.base import BaseProvider
from chatsubo.store import session_changes as changes
from chatsubo.store.database import Database
from chatsubo.store.listings import ListedInstance, RejectedEntry
from chatsubo.store.sessions import Session, known_ids, settled_sessions

VANISHED = N_("The machine is gone from its host. Start it again.")
STOPPED_BY_ITSELF = N_("The machine has stopped by itself. Reset it to bring it back.")
STRANGER = N_("It carries a session that this platform has never had. Remove it by hand if nobody else uses it.")
VANISHED_AFTER = 2
"""A machine counts as gone when so many good listings in a row lacked it."""

log = structlog.get_logger(__name__)


class Reconciler:
    """Tells players of machines that are gone, and has machines removed that nobody needs.

    A machine is ours when the session that it carries is, or was, in our database: a session is written down before
    its provider is first asked. One of a session that was never ours may belong to another platform on the same
    hypervisor, so it is shown to organisers and left alone.
    """

    def __init__(
        self,
        *,
        db: Database,
        news: News,
        clock: Clock,
        strays: Strays,
        wake: Callable[[], None],
        look_again: Callable[[str], None],
    ) -> None:
        self._db = db
        self._news = news
        self._clock = clock
        self._strays = strays
        self._wake = wake
        self._look_again = look_again
        self._missing: dict[str, dict[str, int]] = {}

    async def settled(self, provider: str) -> Mapping[str, Session]:
        """Return the sessions whose machines a listing that is made from now on must show."""
        async with self._db.read() as tx:
            return await settled_sessions(tx, provider)

    async def strangers(self, instances: Sequence[ListedInstance]) -> tuple[RejectedEntry, ...]:
        """Return the instances that carry a session that was never ours, for organisers to see."""
        listed = {one.session: one for one in instances if one.session is not None}
        async with self._db.read() as tx:
            known = await known_ids(tx, listed)
        return tuple(RejectedEntry(one.name, Text(STRANGER)) for session, one in listed.items() if session not in known)

    async def compare(
        self, provider: BaseProvider, instances: Sequence[ListedInstance], before: Mapping[str, Session]
    ) -> None:
        """Act on a good listing.

        Args:
            provider: Whose listing it is.
            instances: What it shows.
            before: What :meth:`settled` returned before it was asked for.
        """
        listed = {one.session: one for one in instances if one.session is not None}
        async with self._db.read() as tx:
            after = await settled_sessions(tx, provider.name)
            over = await known_ids(tx, listed, over=True)
        stable = [
            session
            for session in after.values()
            if session.id in before and before[session.id].generation == session.generation
        ]
        await self._note_missing(provider, [session for session in stable if session.id not in listed])
        for session in stable:
            if session.id in listed:
                await self._refresh(session, listed[session.id])
        self._strays.note(provider, over)

    async def _note_missing(self, provider: BaseProvider, missing: Sequence[Session]) -> None:
        before = self._missing.get(provider.name, {})
        counts = {session.id: before.get(session.id, 0) + 1 for session in missing}
        self._missing[provider.name] = counts
        gone = [session for session in missing if counts[session.id] >= VANISHED_AFTER]
        for session in gone:
            detail = f"{VANISHED_AFTER} listings of {provider.name} lacked it"
            async with self._db.write() as tx:
                failed = await changes.fail(tx, session, Text(VANISHED), detail, self._clock())
            if failed:
                log.warning("session.vanished", session=session.id, provider=provider.name)
                self._news.session(session.id, session.account_id, session.box_id, State.FAILED)
                self._wake()
        if len(gone) < len(missing):
            self._look_again(provider.name)

    async def _refresh(self, session: Session, seen: ListedInstance) -> None:
        """Keep what changed about a running session's machine; what a listing does not tell stays as it was."""
        stage = session.stage
        if not seen.running:
            stage = Text(STOPPED_BY_ITSELF)
        elif stage == Text(STOPPED_BY_ITSELF):
            stage = None
        address = seen.address or session.address
        endpoints = seen.endpoints or session.endpoints
        told = any(machine.address for machine in seen.machines)
        machines = seen.machines if told else session.machines
        if (address, endpoints, machines, stage) == (
            session.address,
            session.endpoints,
            session.machines,
            session.stage,
        ):
            return
        async with self._db.write() as tx:
            changed = await changes.refresh_machines(
                tx, session, address=address, endpoints=endpoints, machines=machines, stage=stage
            )
        if changed:
            self._news.session(session.id, session.account_id, session.box_id, session.state)
