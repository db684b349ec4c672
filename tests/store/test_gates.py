"""Which gate a player is bound to, what gates were told, and who is connected to them."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chatsubo.store.accounts import insert_account
from chatsubo.store.database import Database
from chatsubo.store.gate_pictures import TakenPicture, allot_version, note_taken, taken_picture
from chatsubo.store.gate_reports import GateConnection, connections, last_addresses, save_connections
from chatsubo.store.gates import bind_gate, gate_binding, note_key

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ONE, TWO = "http://one.example", "http://two.example"


async def _account(db: Database, name: str) -> int:
    async with db.write() as tx:
        return await insert_account(
            tx, username=name, username_key=name, gate_name=name, password_hash="", role="player", now=NOW
        )


async def test_the_first_binding_stays_whoever_comes_later(db: Database) -> None:
    case = await _account(db, "case")

    async with db.write() as tx:
        assert await gate_binding(tx, case, "wz01") is None
        assert await bind_gate(tx, case, "wz01", url=ONE, instead_of=None, now=NOW) == ONE
        assert await bind_gate(tx, case, "wz01", url=TWO, instead_of=None, now=NOW) == ONE
        assert await bind_gate(tx, case, "wz02", url=TWO, instead_of=None, now=NOW) == TWO


async def test_a_gate_that_is_gone_is_replaced_once(db: Database) -> None:
    case = await _account(db, "case")

    async with db.write() as tx:
        await bind_gate(tx, case, "wz01", url="http://old.example", instead_of=None, now=NOW)
        assert await bind_gate(tx, case, "wz01", url=ONE, instead_of="http://old.example", now=NOW) == ONE
        assert await bind_gate(tx, case, "wz01", url=TWO, instead_of="http://old.example", now=NOW) == ONE


async def test_accounts_with_one_key_are_found(db: Database) -> None:
    case, molly = await _account(db, "case"), await _account(db, "molly")

    async with db.write() as tx:
        for account in (case, molly):
            await bind_gate(tx, account, "wz01", url=ONE, instead_of=None, now=NOW)
        assert await note_key(tx, case, "wz01", "k") == []
        assert await note_key(tx, molly, "wz01", "k") == ["case"]
        assert await note_key(tx, molly, "wz01", "other") == []


async def test_versions_of_pictures_count_up_whoever_asks(db: Database) -> None:
    async def allot(above: int = 0) -> int:
        async with db.write() as tx:
            return await allot_version(tx, "http://gate", above)

    versions = await asyncio.gather(*(allot() for _ in range(20)))

    assert sorted(versions) == list(range(1, 21))
    assert await allot(above=500) == 501
    assert await allot(above=7) == 502


async def test_what_a_gate_took_later_counts(db: Database) -> None:
    async with db.write() as tx:
        assert await taken_picture(tx, "http://gate") is None
        await allot_version(tx, "http://gate")
        assert await taken_picture(tx, "http://gate") is None
        for version in (3, 5, 4):
            await note_taken(tx, "http://gate", TakenPicture(version, f"digest of {version}"))

        assert await taken_picture(tx, "http://gate") == TakenPicture(5, "digest of 5")


async def test_thousands_connect_and_go_at_once(db: Database) -> None:
    here = [GateConnection("http://gate", f"player{n}", NOW, 1, 2) for n in range(2500)]
    async with db.write() as tx:
        await save_connections(tx, "http://gate", here=here, gone=(), now=NOW)
        await save_connections(tx, "http://gate", here=[replace(here[0], sent=9)], gone=(), now=NOW)
        assert len(await connections(tx)) == 2500
        assert [one.sent for one in await connections(tx, gate_name="player0")] == [9]

        await save_connections(tx, "http://gate", here=(), gone={one.gate_name for one in here[1:]}, now=NOW)
        assert [one.gate_name for one in await connections(tx, url="http://gate")] == ["player0"]


async def test_an_address_belongs_to_who_came_last_and_is_known_after_the_connection(db: Database) -> None:
    later = NOW + timedelta(minutes=1)
    here = [
        GateConnection(ONE, "case", NOW, 1, 2, "10.66.0.7 fd66::7"),
        GateConnection(ONE, "ann", NOW, 1, 2, "10.66.0.8"),
    ]
    async with db.write() as tx:
        await save_connections(tx, ONE, here=here, gone=(), now=NOW)
        await save_connections(tx, ONE, here=(), gone={"case"}, now=later)

        assert [one.gate_name for one in await connections(tx, url=ONE)] == ["ann"]
        assert await last_addresses(tx, ONE) == {"case": "10.66.0.7 fd66::7", "ann": "10.66.0.8"}
        assert await last_addresses(tx, TWO) == {}

        molly = GateConnection(ONE, "molly", later, 1, 2, "10.66.0.7 fd66::7")
        await save_connections(tx, ONE, here=[molly], gone=(), now=later)
        assert await last_addresses(tx, ONE) == {"molly": "10.66.0.7 fd66::7", "ann": "10.66.0.8"}

        await save_connections(tx, ONE, here=[replace(here[0], addresses="10.66.0.9")], gone=(), now=later)
        assert len(await connections(tx, url=ONE)) == 3
