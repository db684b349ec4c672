"""Which gate a player is bound to."""

from datetime import UTC, datetime

from chatsubo.store.accounts import insert_account
from chatsubo.store.database import Database
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
