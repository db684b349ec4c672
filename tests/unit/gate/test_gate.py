"""What a gate does when it is asked, and when what it keeps fails."""

import asyncio
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from chatsubo.config import Secret
from chatsubo.gate.errors import (
    FirewallError,
    NameTaken,
    PictureOutdated,
    RealmFull,
    StateError,
    TunnelError,
    UnknownPeer,
)
from chatsubo.gate.model import Addresses, Keys
from chatsubo.gate.picture import Picture, Reach
from chatsubo.gate.roster import Adopted
from tests.unit.gate.fakes import OFFLINE, ONLINE, Bench

PLACES = 5  # of a /29: eight, less two that are of no use, less the gate's


def picture(version: int, **players: tuple[str, ...]) -> Picture:
    return Picture(version=version, players={name: Reach(two_way=found) for name, found in players.items()})


def adopted(last: int) -> Adopted:
    keys = Keys(public=f"old-{last}", material=Secret(f"old-private-{last}"))
    return Adopted(addresses=Addresses(four=IPv4Address(f"10.66.0.{last}")), keys=keys)


# Accesses


async def test_the_same_player_always_gets_the_same_access(bench: Bench) -> None:
    first = await bench.gate.access("alice")
    assert first == await bench.gate.access("alice")
    assert first != await bench.gate.access("bob")


async def test_an_access_outlives_the_process(bench: Bench) -> None:
    first = await bench.gate.access("alice")
    gate = bench.again()
    await gate.start()
    assert await gate.access("alice") == first
    assert bench.tunnel.admitted == {bench.uid("alice")}


@pytest.mark.parametrize("name", ["a b", "a/b", "été", "x" * 200, "..", "a'; DROP TABLE peers; --", "😀"])
async def test_any_name_will_do(bench: Bench, name: str) -> None:
    first = await bench.gate.access(name)
    gate = bench.again()
    assert await gate.access(name) == first


async def test_fifty_who_ask_at_once_get_an_access_each(tmp_path: object, bench: Bench) -> None:
    crowd = Bench(bench.config.state / "crowd", subnet="10.66.0.0/24")
    await crowd.gate.start()
    files = await asyncio.gather(*(crowd.gate.access(f"player{n % 25}") for n in range(50)))
    assert len(set(files)) == len({text.split()[-1] for text in files}) == 25
    crowd.state.close()


async def test_a_full_gate_says_so_and_gives_nobody_elses_place(bench: Bench) -> None:
    await bench.gate.create([f"player{n}" for n in range(PLACES)])
    with pytest.raises(RealmFull, match="Realm is full"):
        await bench.gate.access("late")
    assert (bench.gate.health().free, bench.gate.health().peers) == (0, PLACES)


async def test_many_are_made_all_or_none(bench: Bench) -> None:
    with pytest.raises(RealmFull):
        await bench.gate.create([f"player{n}" for n in range(PLACES + 1)])
    assert (bench.gate.peers, bench.gate.health().free) == ([], PLACES)


async def test_a_name_given_twice_in_one_call_is_one_access(bench: Bench) -> None:
    first, second = await bench.gate.create(["alice", "alice"])
    assert first == second


async def test_what_cannot_be_remembered_is_not_given_and_costs_no_place(bench: Bench) -> None:
    bench.state.close()
    with pytest.raises(StateError, match=r"gate\.db"):
        await bench.gate.access("alice")
    assert (bench.gate.peers, bench.gate.health().free) == ([], PLACES)


async def test_a_revoked_access_ends_and_the_next_one_is_new(bench: Bench) -> None:
    first = await bench.gate.access("alice")
    await bench.gate.revoke("alice")
    assert bench.tunnel.admitted == set()
    assert await bench.gate.access("alice") != first


async def test_new_keys_end_the_old_ones_and_stay_at_the_place(bench: Bench) -> None:
    first, old = await bench.gate.access("alice"), bench.uid("alice")
    second = await bench.gate.rotate("alice")
    assert (first.split()[1], first.split()[0] == second.split()[0]) == (second.split()[1], False)
    assert bench.tunnel.admitted == {bench.uid("alice")} != {old}
    gate = bench.again()
    assert await gate.access("alice") == second


async def test_a_renamed_player_keeps_the_access(bench: Bench) -> None:
    first = await bench.gate.access("alice")
    await bench.gate.access("bob")
    await bench.gate.rename("alice", "eve")
    gate = bench.again()
    assert await gate.access("eve") == first
    with pytest.raises(NameTaken):
        await gate.rename("eve", "bob")


async def test_nobody_of_that_name(bench: Bench) -> None:
    for asked in (bench.gate.revoke("x"), bench.gate.rotate("x"), bench.gate.rename("x", "y")):
        with pytest.raises(UnknownPeer, match="'x'"):
            await asked


async def test_a_subnet_that_was_changed_is_refused(bench: Bench) -> None:
    await bench.gate.access("alice")
    bench.state.close()
    with pytest.raises(StateError, match=r"10\.66\.0\.2 is no address of 10\.67"):
        Bench(bench.config.state, subnet="10.67.0.0/29")


# Accesses that were made elsewhere


async def test_adopted_accesses_are_handed_out_first(bench: Bench) -> None:
    await bench.gate.start([adopted(4), adopted(6)])
    files = [await bench.gate.access(name) for name in ("alice", "bob", "carol")]
    assert files[:2] == ["old-private-4 10.66.0.4", "old-private-6 10.66.0.6"]
    assert files[2].endswith("10.66.0.2")
    assert bench.gate.health().free == PLACES - 3


async def test_an_adopted_access_is_taken_in_once(bench: Bench) -> None:
    await bench.gate.start([adopted(4)])
    await bench.gate.access("alice")
    gate = bench.again()
    await gate.start([adopted(4), adopted(5)])
    assert [await gate.access(name) for name in ("alice", "bob")] == [
        "old-private-4 10.66.0.4",
        "old-private-5 10.66.0.5",
    ]


async def test_an_adopted_access_that_is_somebodys_stays_theirs_at_any_free_place(bench: Bench) -> None:
    keys = Keys(public="old", material=Secret("old-private"))
    for _ in range(2):
        await bench.gate.start([Adopted(name="alice", keys=keys), adopted(4)])
    assert await bench.gate.access("alice") == "old-private 10.66.0.2"
    assert await bench.again().access("alice") == "old-private 10.66.0.2"
    assert len(bench.gate.peers) == 1


async def test_an_adopted_access_that_ended_never_comes_back(bench: Bench) -> None:
    named = Adopted(name="alice", keys=Keys(public="old", material=Secret("old-private")))
    found = [named, adopted(4), adopted(5)]
    await bench.gate.start(found)
    await bench.gate.create(["bob", "carol"])
    await bench.gate.rotate("bob")
    for name in ("alice", "carol"):
        await bench.gate.revoke(name)
    gate = bench.again()
    await gate.start(found)
    files = [await gate.access(name) for name in ("alice", "bob", "carol", "dave")]
    assert not [text for text in files if text.startswith("old")]


async def test_who_asked_for_new_keys_is_not_given_the_adopted_ones_again(bench: Bench) -> None:
    found = Adopted(name="alice", keys=Keys(public="old", material=Secret("old-private")))
    await bench.gate.start([found])
    renewed = await bench.gate.rotate("alice")
    gate = bench.again()
    await gate.start([found])
    assert await gate.access("alice") == renewed


@pytest.mark.parametrize("last", [1, 7, 200])
async def test_an_adopted_access_outside_the_subnet_is_refused(bench: Bench, last: int) -> None:
    with pytest.raises(StateError, match=r"is no player's address of 10\.66\.0\.0/29"):
        await bench.gate.start([adopted(last)])


async def test_an_adopted_access_at_a_place_that_is_taken_is_refused(bench: Bench) -> None:
    await bench.gate.access("alice")
    with pytest.raises(StateError, match="another player's already"):
        await bench.gate.start([adopted(2)])


# Expiry


async def expiring(bench: Bench) -> Bench:
    bench.state.close()
    made = Bench(bench.config.state, subnet="10.66.0.0/29", expiration=60)
    await made.gate.start()
    for n in range(PLACES):
        await made.gate.access(f"player{n}")
        made.now += 1
    return made


async def test_without_expiration_nobody_loses_an_access(bench: Bench) -> None:
    await bench.gate.create([f"player{n}" for n in range(PLACES)])
    bench.now += 10**9
    with pytest.raises(RealmFull):
        await bench.gate.access("late")


async def test_an_access_that_expired_makes_room_those_never_used_first_then_the_oldest(bench: Bench) -> None:
    made = await expiring(bench)
    made.tunnel.connected = {made.uid("player0"): ONLINE}
    await made.gate.look()
    made.tunnel.connected = {}
    await made.gate.look()
    made.now += 2 * 3600
    for n in range(PLACES):
        await made.gate.access(f"late{n}")
    with pytest.raises(RealmFull):
        await made.gate.access("too-late")
    assert {one.name for one in made.gate.peers} == {f"late{n}" for n in range(PLACES)}
    assert made.gate.peer("late4").number == 1, "the one that was used went last"
    made.state.close()


async def test_an_access_in_use_does_not_expire(bench: Bench) -> None:
    made = await expiring(bench)
    made.tunnel.connected = {made.uid(f"player{n}"): ONLINE for n in range(PLACES)}
    made.now += 2 * 3600
    await made.gate.look()
    with pytest.raises(RealmFull):
        await made.gate.access("late")
    made.tunnel.connected = {}
    await made.gate.look()
    made.now += 3599
    with pytest.raises(RealmFull):
        await made.gate.access("late")
    made.now += 2
    await made.gate.access("late")
    made.state.close()


# Who may reach what


async def test_at_first_nobody_reaches_anything(bench: Bench) -> None:
    await bench.gate.access("alice")
    assert bench.rules.held == set()


async def test_a_picture_lets_players_reach_their_machines(bench: Bench) -> None:
    await bench.gate.create(["alice", "bob"])
    await bench.gate.show(picture(1, alice=("10.9.0.1", "10.9.0.2"), bob=("10.9.0.2",), nobody=("10.9.0.3",)))
    assert bench.rules.reach() == {("10.66.0.2", "10.9.0.1"), ("10.66.0.2", "10.9.0.2"), ("10.66.0.3", "10.9.0.2")}


async def test_a_machine_that_may_only_answer_is_told_apart(bench: Bench) -> None:
    await bench.gate.access("alice")
    reach = Reach(two_way=("10.9.0.1", "10.9.0.3"), one_way=("10.9.0.2", "10.9.0.3"))
    await bench.gate.show(Picture(version=1, players={"alice": reach}))
    assert {(str(one.machine), one.back) for one in bench.rules.held or ()} == {
        ("10.9.0.1", True),
        ("10.9.0.2", False),
        ("10.9.0.3", True),
    }


async def test_one_machine_that_is_written_in_two_ways_is_one_pair(tmp_path: Path) -> None:
    bench = Bench(tmp_path, subnet6="fd66::/64")
    await bench.gate.start()
    await bench.gate.access("alice")
    reach = Reach(two_way=("fd00::1",), one_way=("FD00:0::1",))
    await bench.gate.show(Picture(version=1, players={"alice": reach}))
    assert [(str(one.machine), one.back) for one in bench.rules.held or ()] == [("fd00::1", True)]
    bench.state.close()


async def test_a_picture_holds_for_who_comes_later_and_for_the_next_process(bench: Bench) -> None:
    await bench.gate.show(picture(1, alice=("10.9.0.1",)))
    await bench.gate.access("alice")
    assert bench.rules.reach() == {("10.66.0.2", "10.9.0.1")}
    bench.rules.held = None
    await bench.again().start()
    assert (bench.rules.reach(), bench.gate.picture.version) == ({("10.66.0.2", "10.9.0.1")}, 1)


async def test_the_rules_are_there_before_the_interface(bench: Bench) -> None:
    bench.rules.held, bench.rules.broken = None, True
    gate = bench.again()
    bench.tunnel.steps.clear()
    with pytest.raises(FirewallError):
        await gate.start()
    assert bench.tunnel.steps == []


async def test_who_loses_the_access_or_the_name_loses_the_machines(bench: Bench) -> None:
    await bench.gate.show(picture(1, alice=("10.9.0.1",), bob=("10.9.0.2",), eve=("10.9.0.3",)))
    await bench.gate.create(["alice", "bob"])
    await bench.gate.revoke("bob")
    assert bench.rules.reach() == {("10.66.0.2", "10.9.0.1")}
    await bench.gate.rename("alice", "eve")
    assert bench.rules.reach() == {("10.66.0.2", "10.9.0.3")}


async def test_an_older_picture_is_refused_and_changes_nothing(bench: Bench) -> None:
    await bench.gate.access("alice")
    await bench.gate.show(picture(5, alice=("10.9.0.1",)))
    for other in (picture(4), picture(5)):
        with pytest.raises(PictureOutdated) as refused:
            await bench.gate.show(other)
        assert refused.value.version == 5
    await bench.gate.show(picture(5, alice=("10.9.0.1",)))
    assert bench.rules.reach() == {("10.66.0.2", "10.9.0.1")}


async def test_a_picture_that_the_kernel_did_not_take_is_taken_when_it_is_sent_again(bench: Bench) -> None:
    await bench.gate.access("alice")
    bench.rules.broken = True
    for _ in range(2):
        with pytest.raises(FirewallError, match="refuses"):
            await bench.gate.show(picture(1, alice=("10.9.0.1",)))
    assert bench.gate.health().errors == ("the kernel refuses",)
    bench.rules.broken = False
    await bench.gate.show(picture(1, alice=("10.9.0.1",)))
    assert (bench.rules.reach(), bench.gate.health().errors) == ({("10.66.0.2", "10.9.0.1")}, ())


async def test_rules_that_somebody_flushed_are_put_back(bench: Bench) -> None:
    await bench.gate.access("alice")
    await bench.gate.show(picture(1, alice=("10.9.0.1",)))
    bench.rules.held = None
    await bench.gate.tend()
    assert bench.rules.reach() == {("10.66.0.2", "10.9.0.1")}


async def test_a_revoked_player_is_shut_out_by_the_next_look_although_nothing_took_it(bench: Bench) -> None:
    await bench.gate.show(picture(1, alice=("10.9.0.1",)))
    await bench.gate.access("alice")
    bench.rules.broken = bench.tunnel.broken = True
    await bench.gate.revoke("alice")
    bench.rules.broken = bench.tunnel.broken = False
    await bench.gate.look()
    await bench.gate.tend()
    assert (bench.tunnel.admitted, bench.rules.held, bench.gate.health().errors) == (set(), set(), ())


# The VPN server


async def test_a_vpn_server_that_is_away_costs_nobody_the_access(bench: Bench) -> None:
    bench.tunnel.broken = True
    assert await bench.gate.access("alice")
    assert bench.gate.health().errors == ("the VPN server is away",)
    await bench.gate.look()
    assert bench.tunnel.steps[-1] == "connections"
    bench.tunnel.broken = False
    await bench.gate.look()
    assert (bench.tunnel.admitted, bench.gate.health().errors) == ({bench.uid("alice")}, ())


async def test_keys_that_cannot_be_read_now_are_told_and_tried_again(bench: Bench) -> None:
    bench.tunnel.fault = StateError("the list of revoked certificates is damaged")
    await bench.gate.access("alice")
    await bench.gate.look()
    assert bench.gate.health().errors == ("the list of revoked certificates is damaged",)
    bench.tunnel.fault = None
    await bench.gate.look()
    assert (bench.tunnel.admitted, bench.gate.health().errors) == ({bench.uid("alice")}, ())


async def test_a_gate_whose_vpn_server_does_not_start_says_why(bench: Bench) -> None:
    bench.tunnel.broken = True
    with pytest.raises(TunnelError, match="away"):
        await bench.again().start()


async def test_who_is_connected_and_since_when(bench: Bench) -> None:
    await bench.gate.create(["alice", "bob"])
    bench.tunnel.connected = {bench.uid("alice"): ONLINE, bench.uid("bob"): OFFLINE}
    await bench.gate.look()
    began, bench.now = bench.now, bench.now + 30
    await bench.gate.look()
    assert bench.gate.connection(bench.gate.peer("alice")) == (ONLINE, began)
    assert bench.gate.connection(bench.gate.peer("bob")) == (OFFLINE, None)
    assert bench.gate.health().online == 1
    bench.tunnel.connected = {}
    await bench.gate.look()
    assert (bench.gate.health().online, bench.gate.peer("alice").seen) == (0, bench.now)
