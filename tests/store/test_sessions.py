"""Sessions and listings as they are kept, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.errors import AlreadyRunning, NotFound
from chatsubo.domain.flags import digest
from chatsubo.domain.labels import Creds, Flag
from chatsubo.domain.sessions import State, Verb
from chatsubo.domain.text import Text
from chatsubo.lab.intents import ask_stop, open_session
from chatsubo.store import session_changes as changes
from chatsubo.store.database import Database
from chatsubo.store.listings import (
    ListedInstance,
    ListedTemplate,
    ProviderListing,
    RejectedEntry,
    all_listings,
    forget_listings,
    get_listing,
    save_listing,
)
from chatsubo.store.machines import Endpoint, Machine
from chatsubo.store.queue import admit, usual_seconds
from chatsubo.store.session_logs import write_log
from chatsubo.store.sessions import (
    Session,
    count_live,
    count_states,
    get_session,
    given_values,
    last_session,
    live_session,
    live_sessions,
    owner_of_value,
    read_log,
    read_values,
    sessions_for_desk,
)
from tests.lab.world import furnish

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OUTCOME = changes.Outcome(
    address="10.66.0.2",
    readiness="healthy",
    endpoints=(Endpoint("ssh", "10.66.0.2", 22),),
    machines=(Machine("web", "10.66.0.2"), Machine("db", None)),
    creds=(Creds("ssh", "level0", "p=ss \"wörd'"),),
    flags=(Flag("User", " WZ{é=1}\n", 100), Flag("empty", " ", 5), Flag("long", "x" * 600, 5)),
)


@pytest.fixture
async def furnished(db: Database) -> Database:
    """A database with accounts and boxes."""
    await furnish(db)
    return db


async def opened(tx: AsyncConnection, account: int = 1, box: int = 1, realm: str = "wz01", at: datetime = NOW) -> str:
    """Open a session and return its id."""
    fields = {"template": "hello", "provider": "fake", "duration": 60, "prefix": "WZ"}
    return await open_session(tx, account_id=account, box_id=box, realm=realm, now=at, **fields)  # type: ignore[arg-type]


async def found(tx: AsyncConnection, session_id: str) -> Session:
    """Return a session that there is."""
    session = await get_session(tx, session_id)
    assert session is not None
    return session


async def placed(tx: AsyncConnection) -> str:
    """Open a session, and give it a place at its provider."""
    session_id = await opened(tx)
    provider = (await found(tx, session_id)).provider
    assert await admit(tx, provider, 1, stages={Verb.START: "Starting", Verb.RESET: "Resetting"}, now=NOW)
    return session_id


async def test_what_a_start_gave_is_kept_as_it_is(furnished: Database) -> None:
    async with furnished.write() as tx:
        session_id = await placed(tx)
        assert await changes.finish_start(tx, await found(tx, session_id), OUTCOME, NOW)

    async with furnished.read() as tx:
        session = await found(tx, session_id)
        values = await read_values(tx, session_id)
        given = await given_values(tx, 1, NOW)
    assert (session.state, session.verb, session.ready_at) == (State.RUNNING, None, NOW)
    assert session.expires_at == NOW + timedelta(minutes=60)
    assert (session.endpoints, session.machines, session.creds) == (OUTCOME.endpoints, OUTCOME.machines, OUTCOME.creds)
    assert [(one.name, one.value) for one in given] == [("user", "WZ{é=1}")]
    assert set(values) == {"SESSION"} | {f"{kind}{slot}" for kind in ("FLAG", "RNG") for slot in range(51)}
    assert values["FLAG0"].startswith("WZ{")
    assert OUTCOME.creds[0].password not in repr(session)


async def test_an_outcome_of_an_older_generation_changes_nothing(furnished: Database) -> None:
    async with furnished.write() as tx:
        session_id = await placed(tx)
        old = await found(tx, session_id)
        await changes.set_intent(tx, old, state=State.STOPPING, verb=Verb.STOP, stage=Text("Stopping"), now=NOW)

        assert not await changes.finish_start(tx, old, OUTCOME, NOW)
        assert not await changes.write_stage(tx, old, Text("late"))
        assert not await changes.fail(tx, old, Text("late"), "", NOW)

        assert (await found(tx, session_id)).state is State.STOPPING
        assert await given_values(tx, 1, NOW) == ()


async def test_a_refused_session_leaves_the_transaction_usable(furnished: Database) -> None:
    async with furnished.write() as tx:
        first = await opened(tx)
        with pytest.raises(AlreadyRunning):
            await opened(tx)
        elsewhere = await opened(tx, realm="wz02")
        with pytest.raises(IntegrityError):
            async with tx.begin_nested():
                await opened(tx, account=999)

    async with furnished.read() as tx:
        assert {one.id for one in await live_sessions(tx, 1)} == {first, elsewhere}


async def test_a_session_that_is_not_there_cannot_be_stopped(furnished: Database) -> None:
    async with furnished.write() as tx:
        with pytest.raises(NotFound):
            await ask_stop(tx, "nothing", NOW)


async def test_sessions_are_found_by_player_box_and_realm(furnished: Database) -> None:
    async with furnished.write() as tx:
        ended = await opened(tx)
        await ask_stop(tx, ended, NOW + timedelta(minutes=1))
        live = await opened(tx, at=NOW + timedelta(minutes=2))
        other = await opened(tx, account=2, at=NOW + timedelta(minutes=3))

    async with furnished.read() as tx:
        assert [one.id for one in await live_sessions(tx)] == [live, other]
        assert (await live_session(tx, 1, 1)).id == live  # type: ignore[union-attr]
        assert await live_session(tx, 1, 1, "wz02") is None
        assert (await last_session(tx, 1, 1)).id == live  # type: ignore[union-attr]
        assert [one.id for one in await sessions_for_desk(tx, 5)] == [other, live, ended]
        assert [one.id for one in await sessions_for_desk(tx, 0)] == [other, live]


async def test_values_of_ended_sessions_count_for_a_while_and_are_recognised_for_ever(furnished: Database) -> None:
    async with furnished.write() as tx:
        session_id = await placed(tx)
        await changes.finish_start(tx, await found(tx, session_id), OUTCOME, NOW)
        running = await found(tx, session_id)
        await changes.set_intent(tx, running, state=State.STOPPING, verb=Verb.STOP, stage=Text("Stopping"), now=NOW)
        await changes.finish_stop(tx, await found(tx, session_id), NOW)

    async with furnished.read() as tx:
        assert len(await given_values(tx, 1, NOW - timedelta(minutes=10))) == 1
        assert await given_values(tx, 1, NOW + timedelta(seconds=1)) == ()
        assert await owner_of_value(tx, digest("WZ{é=1}"), excluding=2) == 1
        assert await read_values(tx, session_id) == {"SESSION": session_id}


async def test_a_log_is_replaced_by_the_longer_one(furnished: Database) -> None:
    async with furnished.write() as tx:
        session_id = await opened(tx)
        assert await read_log(tx, session_id) == ""
        await write_log(tx, session_id, "one\n")
        await write_log(tx, session_id, "one\ntwo\n")
        assert await read_log(tx, session_id) == "one\ntwo\n"


async def test_a_listing_comes_back_as_it_was_kept(furnished: Database) -> None:
    listing = ProviderListing(
        provider="fake",
        kind="fake",
        is_dynamic=True,
        realms=("wz01", "wz02"),
        templates=(
            ListedTemplate(
                name="hello",
                dynamic=True,
                title="Héllo",
                difficulty=3,
                flags=(Flag("user", "", 100),),
                warnings=(Text("{name} differs", {"name": "x"}),),
            ),
        ),
        instances=(ListedInstance(id="1", name="one", realm="wz01", template="hello", address=None),),
        rejected=(RejectedEntry("broken", Text("expected {choices}", {"choices": "true"})),),
        seen_at=NOW,
        took=12,
        problem=Text("away"),
        problem_since=NOW,
    )
    async with furnished.write() as tx:
        await save_listing(tx, listing)
        await save_listing(tx, listing)

    async with furnished.write() as tx:
        assert await get_listing(tx, "fake") == listing
        assert await forget_listings(tx, frozenset({"other"})) == 1
        assert await all_listings(tx) == ()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_page_reads_the_sessions_of_the_whole_game(furnished: Database) -> None:
    plans: list[str] = []

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[-1] for row in cursor.fetchall())

    async with furnished.read() as tx:
        event.listen(tx.sync_connection, "before_cursor_execute", explain)
        await usual_seconds(tx, "fake")
        await live_sessions(tx)
        await live_sessions(tx, 1)
        await last_session(tx, 1, 1)
        await count_live(tx)
        await count_states(tx)
        await sessions_for_desk(tx, 50)
    assert len(plans) >= 8
    assert [plan for plan in plans if plan.startswith("SCAN sessions")] == []
