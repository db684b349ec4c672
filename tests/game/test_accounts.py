"""Registration and logins."""

import asyncio

import pytest

from chatsubo.domain.errors import BadCredentials, Invalid, NotFound, RateLimited, StorageFull, Taken
from chatsubo.game import Actor, Client, Role
from chatsubo.store.accounts import account_by_id
from tests.game.world import CLIENT, PASSWORD, World


async def gate_name(world: World, actor: Actor) -> str:
    async with world.db.read() as tx:
        account = await account_by_id(tx, actor.account_id)
    assert account is not None
    return account.gate_name


async def test_who_registers_is_logged_in_as_a_player(world: World) -> None:
    actor, token = await world.game.accounts.register("Molly", PASSWORD, client=CLIENT)
    assert actor.role is Role.PLAYER
    assert await world.game.accounts.authenticate(token) == actor


@pytest.mark.parametrize("other", ["molly", "MOLLY", " Molly ", "\uff2dolly"])
async def test_a_name_that_differs_by_case_or_width_alone_is_taken(world: World, other: str) -> None:
    await world.player("Molly")
    with pytest.raises(Taken):
        await world.player(other)


@pytest.mark.parametrize("bad", ["", " ", "a" * 33, "a\nb", "<b>", "a/b", "a" * 1_000_000, "\0", ".", ".."])
async def test_a_name_that_will_not_do_is_told_so(world: World, bad: str) -> None:
    with pytest.raises(Invalid) as told:
        await world.player(bad)
    assert told.value.problems[0].field == "username"


@pytest.mark.parametrize("bad", ["", "short", "x" * 257])
async def test_a_password_that_will_not_do_is_told_so(world: World, bad: str) -> None:
    with pytest.raises(Invalid):
        await world.game.accounts.register("case", bad, client=CLIENT)


async def test_each_login_has_a_token_of_its_own(world: World) -> None:
    _, first = await world.game.accounts.register("case", PASSWORD, client=CLIENT)
    _, second = await world.game.accounts.login("CASE", PASSWORD, client=CLIENT)
    assert first != second
    await world.game.accounts.logout(first)
    assert await world.game.accounts.authenticate(first) is None
    assert await world.game.accounts.authenticate(second) is not None


async def test_a_wrong_password_and_an_unknown_name_are_told_alike(world: World) -> None:
    await world.player("case")
    for name, password in (("case", "wrong password"), ("nobody", PASSWORD)):
        with pytest.raises(BadCredentials):
            await world.game.accounts.login(name, password, client=CLIENT)


async def test_too_many_wrong_passwords_lock_the_name_for_a_while_and_no_other(world: World) -> None:
    await world.player("case")
    await world.player("molly")
    for _ in range(10):
        with pytest.raises(BadCredentials):
            await world.game.accounts.login("case", "wrong password", client=CLIENT)
    with pytest.raises(RateLimited) as told:
        await world.game.accounts.login("case", PASSWORD, client=CLIENT)
    await world.game.accounts.login("molly", PASSWORD, client=CLIENT)
    world.clock.move(seconds=told.value.retry_after)
    await world.game.accounts.login("case", PASSWORD, client=CLIENT)


async def test_a_changed_password_ends_every_other_login(world: World) -> None:
    actor, old = await world.game.accounts.register("case", PASSWORD, client=CLIENT)
    new = await world.game.accounts.change_password(actor, PASSWORD, "another horse", client=CLIENT)
    assert await world.game.accounts.authenticate(old) is None
    assert await world.game.accounts.authenticate(new) == actor
    with pytest.raises(BadCredentials):
        await world.game.accounts.login("case", PASSWORD, client=CLIENT)
    await world.game.accounts.login("case", "another horse", client=CLIENT)


async def test_a_password_is_only_changed_by_who_knows_it(world: World) -> None:
    actor = await world.player("case")
    with pytest.raises(Invalid) as told:
        await world.game.accounts.change_password(actor, "not this one", "another horse", client=CLIENT)
    assert told.value.problems[0].field == "current"


async def test_a_password_that_an_organiser_sets_meanwhile_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stole a password must not keep the account by changing it while it is taken back."""
    thief = await world.player("case")
    hash_password = world.game.passwords.hash

    async def hash_slowly(password: str) -> str:
        monkeypatch.undo()
        await world.game.accounts.set_password("case", "taken back")
        return await hash_password(password)

    monkeypatch.setattr(world.game.passwords, "hash", hash_slowly)
    with pytest.raises(BadCredentials):
        await world.game.accounts.change_password(thief, PASSWORD, "mine now", client=CLIENT)
    await world.game.accounts.login("case", "taken back", client=CLIENT)


async def test_a_login_ends_when_it_was_not_used_for_two_weeks(world: World) -> None:
    _, token = await world.game.accounts.register("case", PASSWORD, client=CLIENT)
    world.clock.move(days=13)
    assert await world.game.accounts.authenticate(token) is not None
    world.clock.move(days=13)
    assert await world.game.accounts.authenticate(token) is not None
    world.clock.move(days=14)
    assert await world.game.accounts.authenticate(token) is None


async def test_one_cannot_end_somebody_elses_login(world: World) -> None:
    case, token = await world.game.accounts.register("case", PASSWORD, client=CLIENT)
    molly = await world.player("molly")
    login = (await world.game.accounts.logins(case, token))[0]
    assert login.current
    with pytest.raises(NotFound):
        await world.game.accounts.revoke_login(molly, login.id)
    await world.game.accounts.revoke_login(case, login.id)
    assert await world.game.accounts.authenticate(token) is None


async def test_gates_know_a_player_by_the_username_if_it_fits_else_by_a_made_name(world: World) -> None:
    plain, odd = await world.player("case"), await world.player("Élan vital")
    assert await gate_name(world, plain) == "case"
    made = await gate_name(world, odd)
    assert made.isascii()
    assert len(made) <= 32


async def test_a_promoted_account_is_an_organiser_at_its_next_request(world: World) -> None:
    _, token = await world.game.accounts.register("case", PASSWORD, client=CLIENT)
    await world.game.accounts.set_role("Case", Role.ADMIN)
    actor = await world.game.accounts.authenticate(token)
    assert actor is not None
    assert actor.is_admin


@pytest.mark.parametrize("behind", ["\u115f", "\u1160", "\u3164", "\uffa0"])
async def test_a_name_cannot_be_anothers_with_a_letter_behind_it_that_nobody_sees(world: World, behind: str) -> None:
    with pytest.raises(Invalid):
        await world.player(f"finn{behind}")


async def test_no_gate_is_given_a_name_that_is_an_option(world: World) -> None:
    assert not (await gate_name(world, await world.player("--batch"))).startswith("-")


async def test_who_has_a_whole_network_of_addresses_has_the_tries_of_one(world: World) -> None:
    for number in range(100):
        await world.game.accounts.register(f"p{number}", PASSWORD, client=Client(f"2001:db8:0:7::{number:x}"))
    with pytest.raises(RateLimited):
        await world.game.accounts.register("more", PASSWORD, client=Client("2001:db8:0:7:ffff::1"))
    await world.game.accounts.register("more", PASSWORD, client=Client("2001:db8:0:8::1"))


@pytest.mark.parametrize(
    ("address", "origin"),
    [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8::1:2:3:4", "2001:db8::"), ("", "")],
)
def test_a_client_comes_from_an_address_or_a_subscribers_network(address: str, origin: str) -> None:
    assert Client(address).origin == origin


async def test_a_login_that_was_under_way_does_not_outlive_the_old_password(world: World) -> None:
    actor = await world.player("case")
    accounts, verified, changed = world.game.accounts, asyncio.Event(), asyncio.Event()
    verify = accounts._passwords.verify

    async def slowly(password_hash: str | None, password: str) -> bool:
        known = await verify(password_hash, password)
        verified.set()
        await changed.wait()
        return known

    accounts._passwords.verify = slowly  # type: ignore[method-assign]
    thief = asyncio.create_task(accounts.login("case", PASSWORD, client=CLIENT))
    await verified.wait()
    accounts._passwords.verify = verify  # type: ignore[method-assign]
    await accounts.change_password(actor, PASSWORD, "another horse", client=CLIENT)
    changed.set()

    with pytest.raises(BadCredentials):
        await thief


async def test_a_password_that_is_hashed_anew_at_a_login_ends_no_other_login(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, phone = await world.game.accounts.register("case", PASSWORD, client=CLIENT)
    monkeypatch.setattr(world.game.passwords, "is_outdated", lambda _: True)
    await world.game.accounts.login("case", PASSWORD, client=CLIENT)
    assert await world.game.accounts.authenticate(phone) is not None
    await world.game.accounts.login("case", PASSWORD, client=CLIENT)


async def test_who_is_logged_in_stays_so_while_nothing_can_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, token = await world.game.accounts.register("case", PASSWORD, client=CLIENT)
    world.clock.move(minutes=5)
    monkeypatch.setattr(world.db, "write", _refuse)
    assert await world.game.accounts.authenticate(token) == actor


def _refuse() -> None:
    raise StorageFull
