"""Carrying out intents: the provider is called outside of any transaction, and the outcome committed afterwards.

Every outcome is committed for the generation of the intent only. Whatever is run a second time, after a crash or
because a paused process woke up, finds its generation outdated, or has the provider adopt what it made before.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.clock import Clock
from chatsubo.domain.sessions import State, Verb
from chatsubo.domain.text import N_, Text
from chatsubo.domain.values import redact
from chatsubo.lab.committing import committed
from chatsubo.lab.output import clean
from chatsubo.lab.pace import Pace, Tries
from chatsubo.lab.progress import WrittenProgress
from chatsubo.lab.reading import read_outcome
from chatsubo.lab.runs import CalledOff, Run, Runs
from chatsubo.live.news import News
from chatsubo.providers.base import BaseInstance, BaseProvider, StartOrder
from chatsubo.providers.exc import Advice, ProviderError
from chatsubo.store import session_changes as changes
from chatsubo.store.database import Database
from chatsubo.store.session_changes import Outcome
from chatsubo.store.session_logs import write_log
from chatsubo.store.sessions import Session, get_session, read_log, read_values

DETAIL = 4000
RESET_FAILED = N_("The reset did not work. The machine is still there.")

log = structlog.get_logger(__name__)


class ProviderGone(ProviderError):
    """The session's provider is not in the configuration any more."""

    advice = Advice.ASK_ADMIN
    message = N_("The machine's host is not part of this platform any more.")


class PlatformFailed(ProviderError):
    """The platform itself could not carry out an intent, again and again."""

    message = N_("The platform could not do this. Tell an organiser.")


class Lifecycle:
    """Carries out starts, resets and stops."""

    def __init__(
        self,
        *,
        db: Database,
        providers: Mapping[str, BaseProvider],
        news: News,
        clock: Clock,
        pace: Pace,
        after: Callable[[str], None],
    ) -> None:
        """Keep what is needed.

        Args:
            db: Where sessions are.
            providers: The configured providers by name.
            news: Where changes are told.
            clock: The time of day.
            pace: How long to wait for what.
            after: Called with a provider's name whenever something was done there and a place may be free.
        """
        self.runs = Runs()
        self._db = db
        self._providers = providers
        self._news = news
        self._clock = clock
        self._pace = pace
        self._after = after
        self._stops = {name: asyncio.Semaphore(2 * one.max_concurrent_starts) for name, one in providers.items()}
        self._closing = False

    async def carry_out(self, session_id: str, generation: int, verb: str) -> None:
        """Carry out one intent, unless that was done or a newer one made it void. The durable engine's handler.

        An older run of the session is called off first, and its end waited for.

        Raises:
            Unavailable: If the session could not be read.
            asyncio.CancelledError: If the process ends: the workflow is to be taken up by the next one.
        """
        if self._closing:
            raise asyncio.CancelledError
        while (other := self.runs.of(session_id)) is not None:
            if other.generation > generation:
                return
            if other.generation < generation:
                other.call_off()
            await other.ended()
        run = Run(session_id, generation, Verb(verb))
        try:
            with self.runs.entered(run):
                await self._perform(run)
        except CalledOff:
            log.info("session.called_off", session=session_id, generation=generation, verb=verb)
        finally:
            self._after(run.provider or "")
        if self._closing:
            raise asyncio.CancelledError

    async def aclose(self, within: float) -> None:
        """Call off all runs, and wait for their end for ``within`` seconds at most."""
        self._closing = True
        ends = [asyncio.create_task(run.ended()) for run in self.runs.all()]
        for run in self.runs.all():
            run.call_off()
        if ends:
            await asyncio.wait(ends, timeout=within)
        for end in ends:
            end.cancel()

    async def give_up(self, session: Session) -> None:
        """Let a session fail whose intent could not be carried out again and again.

        Unlike an outcome, which is lost with its run, this can be asked for again: it waits for no database.

        Raises:
            Unavailable: If the database does not take it.
        """
        detail = "its workflow ended several times without an outcome"
        async with self._db.write() as tx:
            failed = await changes.fail(tx, session, PlatformFailed().text, detail, self._clock())
        if failed:
            log.warning("session.failed", session=session.id, provider=session.provider, reason=detail)
            self._told(session, State.FAILED)

    async def _perform(self, run: Run) -> None:
        async with self._db.read() as tx:
            session = await get_session(tx, run.session_id)
        if session is None or session.generation != run.generation or session.verb is not run.verb:
            return
        run.provider = session.provider
        provider = self._providers.get(session.provider)
        if run.verb is Verb.STOP:
            await self._stop(run, session, provider)
        elif provider is None:
            await self._fail(session, ProviderGone(f"no provider {session.provider!r} is configured"))
        else:
            await self._make(run, session, provider)

    async def _make(self, run: Run, session: Session, provider: BaseProvider) -> None:
        """Carry out a start or a reset."""
        async with self._db.read() as tx:
            values, earlier = await read_values(tx, session.id), await read_log(tx, session.id)

        async def write(stage: Text | None, output: str | None) -> None:
            await self._tell(session, stage, output)

        progress = WrittenProgress(write, values, earlier, self._pace)
        deadline = time.monotonic() + provider.start_timeout
        order = StartOrder(session.id, values, session.generation, deadline, progress=progress)
        try:
            async with progress.written():
                outcome = await self._tries(run, session, provider, order)
        except ProviderError as error:
            detail = redact(error.detail, values)
            if run.verb is Verb.RESET and await self._is_there(run, session, provider):
                await self._keep(session, error, detail, progress.output())
            else:
                await self._fail(session, error, detail, progress.output())
            return

        if await self._commit(
            lambda tx: changes.finish_start(tx, session, outcome, self._clock()), session, progress.output()
        ):
            self._told(session, State.RUNNING)

    async def _tries(self, run: Run, session: Session, provider: BaseProvider, order: StartOrder) -> Outcome:
        """Call the provider until it works, as long as it advises to try again and there is time."""
        tries = Tries(self._pace, order.deadline)
        while True:
            try:
                limit = order.seconds_left + self._pace.calling_off
                return await run.call(self._made(session, provider, order), limit, self._pace.calling_off)
            except ProviderError as error:
                wait = tries.wait_after(error)
                log.warning("session.retry", session=session.id, provider=provider.name, wait=wait)
                order.progress.stage(error.text)
                order.progress.log(f"{error.detail}\n")
                await run.pause(wait)

    async def _made(self, session: Session, provider: BaseProvider, order: StartOrder) -> Outcome:
        made: object
        if session.verb is Verb.RESET:
            made = await provider.reset(session.realm, session.template, order)
        else:
            made = await provider.start_dynamic_instance(session.realm, session.template, session.id, order)
        if not isinstance(made, BaseInstance):
            raise ProviderError("the plugin returned no instance")
        return read_outcome(made)

    async def _is_there(self, run: Run, session: Session, provider: BaseProvider) -> bool:
        """Say whether the machine outlived a failed reset; a provider that does not answer is believed to have it."""
        try:
            listing = await run.call(
                provider.list_instances(session.realm), self._pace.listing_limit, self._pace.calling_off
            )
        except ProviderError:
            return True
        return any(one.session == session.id and one.running for one in listing.items)

    async def _stop(self, run: Run, session: Session, provider: BaseProvider | None) -> None:
        if provider is None:
            log.warning("session.provider_gone", session=session.id, provider=session.provider)
        else:
            try:
                await self._tries_to_stop(run, session, provider)
            except ProviderError as error:
                await self._not_stopped(session, error)
                return
        if await self._commit(lambda tx: changes.finish_stop(tx, session, self._clock()), session):
            self._told(session, State.FAILED if session.state is State.FAILED else State.STOPPED)

    async def _tries_to_stop(self, run: Run, session: Session, provider: BaseProvider) -> None:
        tries = Tries(self._pace)
        while True:
            try:
                async with self._stops[provider.name]:
                    call = provider.stop_dynamic_instance(session.id)
                    await run.call(call, self._pace.stop_limit, self._pace.calling_off)
            except ProviderError as error:
                log.warning("session.not_stopped", session=session.id, provider=provider.name, reason=error.detail)
                wait = tries.wait_after(error)
                await self._tell(session, error.text, None)
                await run.pause(wait)
            else:
                return

    async def _not_stopped(self, session: Session, error: ProviderError) -> None:
        """Leave the intent to the dispatcher, which takes it up again; a session that cannot be stopped has failed."""
        if session.state is State.STOPPING and error.advice is not Advice.RETRY:
            await self._fail(session, error)

    async def _keep(self, session: Session, error: ProviderError, detail: str, output: str | None) -> None:
        reason = clean(detail)[:DETAIL]
        log.warning("session.reset_failed", session=session.id, provider=session.provider, reason=reason)
        if await self._commit(
            lambda tx: changes.keep_running(tx, session, Text(RESET_FAILED), error.text, reason), session, output
        ):
            self._told(session, State.RUNNING)

    async def _fail(
        self, session: Session, error: ProviderError, detail: str | None = None, output: str | None = None
    ) -> None:
        """Commit the failure; the stop that it leaves as an intent removes what there may be."""
        reason = clean(error.detail if detail is None else detail)[:DETAIL]
        log.warning("session.failed", session=session.id, provider=session.provider, reason=reason)
        if await self._commit(lambda tx: changes.fail(tx, session, error.text, reason, self._clock()), session, output):
            self._told(session, State.FAILED)

    async def _tell(self, session: Session, stage: Text | None, output: str | None) -> None:
        async with self._db.write() as tx:
            if output is not None:
                await write_log(tx, session.id, output)
            changed = stage is not None and await changes.write_stage(tx, session, stage)
        if changed:
            self._told(session, session.state)

    def _told(self, session: Session, state: State) -> None:
        self._news.session(session.id, session.account_id, session.box_id, state)

    async def _commit(
        self, change: Callable[[AsyncConnection], Awaitable[bool]], session: Session, output: str | None = None
    ) -> bool:
        """Commit an outcome and the ``output`` that led to it, and say whether the intent was still the present one."""

        async def write(tx: AsyncConnection) -> bool:
            if output is not None:
                await write_log(tx, session.id, output)
            return await change(tx)

        return await committed(self._db, write)
