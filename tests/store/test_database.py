"""The database: what was committed is kept, what failed is not, and a full disk is told plainly."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from chatsubo.domain.errors import ChatsuboError, StorageFull, Unavailable
from chatsubo.store.accounts import account_by_name, insert_account, lock_account
from chatsubo.store.database import Database
from chatsubo.store.rate_limits import count_try
from chatsubo.store.settings import read_setting, write_setting
from chatsubo.store.submissions import Submission, insert_submission
from chatsubo.store.tables import accounts
from tests.needs import need

POSTGRESQL = pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=need.postgresql)], indirect=True)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


async def add(db, name, gate_name=None):
    async with db.write() as tx:
        await insert_account(
            tx,
            username=name,
            username_key=name.lower(),
            gate_name=gate_name or name,
            password_hash="-",
            role="player",
            now=NOW,
        )


async def test_a_moment_comes_back_with_its_zone(db: Database) -> None:
    await add(db, "Molly")
    async with db.read() as tx:
        account = await account_by_name(tx, "molly")
    assert account is not None
    assert account.created_at == NOW
    assert account.created_at.tzinfo is not None


async def test_a_failed_transaction_leaves_nothing(db: Database) -> None:
    await add(db, "Case")
    with pytest.raises(IntegrityError):
        await add(db, "CASE", "other")
    async with db.read() as tx:
        assert (await tx.execute(select(func.count()).select_from(accounts))).scalar() == 1


async def test_of_fifty_writers_at_once_every_one_is_counted(db: Database) -> None:
    async def spend():
        async with db.write() as tx:
            return await count_try(tx, key="k", window=1, expires_at=NOW)

    counts = await asyncio.gather(*(spend() for _ in range(50)))
    assert sorted(counts) == list(range(1, 51))


async def test_a_reader_is_not_held_up_by_a_writer(db: Database) -> None:
    async with db.write() as writing:
        await write_setting(writing, "home", "new")
        async with asyncio.timeout(60), db.read() as reading:
            assert await read_setting(reading, "home") is None
    async with db.read() as reading:
        assert await read_setting(reading, "home") == "new"


async def test_a_reader_sees_one_state_from_its_first_look_to_its_last(db: Database) -> None:
    async with db.read() as reading:
        assert await read_setting(reading, "home") is None
        async with db.write() as writing:
            await write_setting(writing, "home", "new")
        assert await read_setting(reading, "home") is None


async def test_a_reader_writes_nothing(db: Database) -> None:
    with pytest.raises((Unavailable, DBAPIError)):
        async with db.read() as tx:
            await write_setting(tx, "home", "lost")


async def test_a_setting_is_replaced(db: Database) -> None:
    for value in ({"a": 1}, [1, 2]):
        async with db.write() as tx:
            await write_setting(tx, "k", value)
    async with db.read() as tx:
        assert await read_setting(tx, "k") == [1, 2]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_disk_is_told_and_keeps_what_was_there(db: Database) -> None:
    await add(db, "Case")
    async with db.write() as tx:
        pages = (await tx.execute(text("PRAGMA page_count"))).scalar()
        await tx.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(StorageFull):
        async with db.write() as tx:
            await write_setting(tx, "big", "x" * 1_000_000)
    async with db.read() as tx:
        assert await account_by_name(tx, "case") is not None
        assert await read_setting(tx, "big") is None


@POSTGRESQL
@pytest.mark.parametrize(
    ("state", "told"),
    [("disk_full", StorageFull), ("admin_shutdown", Unavailable), ("deadlock_detected", Unavailable)],
)
async def test_what_postgresql_cannot_do_now_is_told_plainly(
    db: Database, state: str, told: type[ChatsuboError]
) -> None:
    with pytest.raises(told) as error:
        async with db.write() as tx:
            await tx.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"))
    assert type(error.value) is told


async def test_a_server_that_is_away_is_told_to_be_away() -> None:
    away = Database.open("postgresql://nobody@127.0.0.1:1/nothing")
    for connecting in (away.read, away.write):
        with pytest.raises(Unavailable):
            async with connecting():
                pass
    await away.aclose()


@POSTGRESQL
async def test_what_refers_to_an_account_is_written_while_the_account_is_locked(db: Database) -> None:
    """A start locks the account, then the box; a submission locks the box, then refers to the account."""
    await add(db, "Case")
    async with db.write() as starting:
        await lock_account(starting, 1)
        async with asyncio.timeout(60), db.write() as submitting:
            row = Submission(1, None, None, None, "FLAG{x}", "wrong", None, NOW)
            await insert_submission(submitting, row)


async def test_an_error_does_not_tell_the_values(db: Database) -> None:
    await add(db, "Case")
    with pytest.raises(IntegrityError) as told:
        await add(db, "CASE", "the secret value")
    assert "the secret value" not in str(told.value)
