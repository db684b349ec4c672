"""The firewall's rules as text, and what becomes of nft's refusals."""

import re
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsubo.gate.errors import FirewallError
from chatsubo.gate.firewall import Firewall, process
from chatsubo.gate.firewall.listing import Dropped, read_counters, read_table
from chatsubo.gate.firewall.ruleset import COUNTERS, Ruleset
from chatsubo.gate.model import Pair

FOUR, SIX = IPv4Network("10.66.0.0/16"), IPv6Network("fd66::/64")
PROTECTED = (IPv4Network("10.66.8.0/24"), IPv4Network("192.168.1.0/24"), IPv6Network("fd00:1::/48"))
RULESET = Ruleset("vpn-0", FOUR, SIX, PROTECTED)


def pair(player: str, machine: str, *, back: bool = False) -> Pair:
    return Pair(player=ip_address(player), machine=ip_address(machine), back=back)


def rules_of(chain: str, text: str) -> list[str]:
    return re.findall(rf"^add rule inet \S+ {chain} (.*)$", text, re.MULTILINE)


def test_every_line_is_about_the_gates_own_table() -> None:
    pairs = [pair("10.66.0.2", "172.18.0.5", back=True), pair("10.66.0.2", "172.18.0.6"), pair("fd66::2", "fd00::5")]
    for text in (RULESET.whole(pairs), RULESET.change(pairs, pairs[:1]), RULESET.none()):
        verbs = re.findall(r"^(?:add|delete|flush) (.*)$", text, re.MULTILINE)
        assert verbs
        assert all(re.match(r"(table|counter|set|chain|rule|element) inet chatsubo_gate_vpn-0\b", one) for one in verbs)


def test_a_table_that_is_there_is_never_taken_away_to_be_made_anew() -> None:
    text = RULESET.whole([])
    assert "delete" not in text
    assert "flush table" not in text
    # What is filled is emptied first.
    for name in re.findall(r"^add chain \S+ \S+ (\w+)", text, re.MULTILINE):
        assert f"flush chain inet {RULESET.table} {name}\n" in text
    for name in ("pairs4", "back4", "pairs6", "back6"):
        assert f"flush set inet {RULESET.table} {name}\n" in text


def test_what_nobody_ever_reaches_is_dropped_before_a_pair_is_looked_up() -> None:
    four = "{ 0.0.0.0/8, 10.66.0.0/16, 127.0.0.0/8, 169.254.0.0/16, 192.168.1.0/24, 224.0.0.0/3 }"
    six = "{ ::/96, ::ffff:0:0/96, fd00:1::/48, fd66::/64, fe80::/10, ff00::/8 }"
    text = RULESET.whole([]).replace(",\n", ", ")

    onward = rules_of("from_players", text)
    assert onward[:4] == [
        'oifname "vpn-0" counter name "forbidden" drop',
        f'ip daddr {four} counter name "forbidden" drop',
        f'ip6 daddr {six} counter name "forbidden" drop',
        'ct status dnat counter name "forbidden" drop',
    ]
    back = rules_of("to_players", text)
    assert [one for one in back if not one.startswith("ct state related")][:2] == [
        f'ip saddr {four} counter name "forbidden" drop',
        f'ip6 saddr {six} counter name "forbidden" drop',
    ]


def test_whatever_no_rule_lets_through_is_dropped_and_counted() -> None:
    text = RULESET.whole([])
    last = {chain: rules_of(chain, text)[-1] for chain in ("from_players", "to_players", "to_host")}
    assert last == {
        "from_players": 'counter name "unpaired" drop',
        "to_players": 'counter name "unpaired" drop',
        "to_host": 'counter name "host" drop',
    }
    assert Dropped.__struct_fields__ == COUNTERS


Sets = dict[str, set[str]]
Batch = dict[tuple[str, str], bool]


def applied(sets: Sets, text: str) -> Sets:
    """Do to sets what nft would: an element that is there may be added, one that is not may not be deleted."""
    sets = {name: set(elements) for name, elements in sets.items()}
    for verb, name, elements in re.findall(r"^(add|delete) element inet \S+ (\w+) \{ ([^}]*) \}$", text, re.MULTILINE):
        for element in elements.split(",\n"):
            assert re.fullmatch(r"[0-9a-f.:]+ \. [0-9a-f.:]+", element)
            if verb == "add":
                sets.setdefault(name, set()).add(element)
            else:
                sets[name].remove(element)
    return {name: elements for name, elements in sets.items() if elements}


def wanted(pairs: Collection[Pair]) -> Sets:
    sets: Sets = {}
    for one in pairs:
        for name in ("pairs", "back") if one.back else ("pairs",):
            sets.setdefault(f"{name}{one.player.version}", set()).add(f"{one.player} . {one.machine}")
    return sets


ADDRESSES = st.sampled_from([("10.66.0.2", "172.18.0.5"), ("10.66.0.3", "172.18.0.5"), ("fd66::2", "fd00::5")])
BATCH = st.dictionaries(ADDRESSES, st.booleans())


@given(BATCH, st.lists(st.tuples(BATCH, BATCH)))
def test_the_sets_are_what_the_changes_lead_to(first: Batch, changes: list[tuple[Batch, Batch]]) -> None:
    def pairs(batch: Batch) -> list[Pair]:
        return [pair(*addresses, back=back) for addresses, back in batch.items()]

    held = dict(first)
    sets = applied({}, RULESET.whole(pairs(first)))
    for add, remove in changes:
        sets = applied(sets, RULESET.change(pairs(add), pairs(remove)))
        held = {addresses: back for addresses, back in held.items() if addresses not in remove} | add
    assert sets == wanted(pairs(held))


LISTING = """{"nftables": [{"metainfo": {"version": "1.0.6"}},
 {"counter": {"family": "inet", "name": "unpaired", "table": "t", "handle": %d, "packets": %d, "bytes": 9}},
 {"set": {"name": "pairs4", "handle": 5, "elem": [{"concat": ["10.66.0.2", "172.18.0.5"]},
                                                 {"concat": ["10.66.0.2", "172.18.0.6"]}]}},
 {"set": {"name": "back4", "handle": 6, "elem": [{"concat": ["10.66.0.2", "172.18.0.6"]}]}},
 {"rule": {"chain": "forward", "handle": 7, "expr": [%s]}}]}"""


def test_a_listing_tells_pairs_and_everything_that_counts() -> None:
    listing = read_table(LISTING % (1, 0, '{"drop": null}'))
    assert listing.pairs == {pair("10.66.0.2", "172.18.0.5"), pair("10.66.0.2", "172.18.0.6", back=True)}
    assert listing.frame == read_table(LISTING % (2, 77, '{"drop": null}')).frame
    assert listing.frame != read_table(LISTING % (1, 0, '{"accept": null}')).frame
    assert read_counters(LISTING % (1, 77, "")) == Dropped(spoofed=0, forbidden=0, unpaired=77, host=0)


@pytest.fixture
def nft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a script in the place of nft, the only program there is."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(script: str) -> None:
        program = tmp_path / "nft"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    return put


async def test_without_nft_the_package_is_named() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "/nonexistent")
        with pytest.raises(FirewallError, match="nft is missing; install the package nftables"):
            await Firewall("vpn0", FOUR).install([])


async def test_what_nft_says_is_told_and_who_has_to_run_the_gate(nft) -> None:
    nft("echo 'netlink: Error: cache initialization failed: Operation not permitted' >&2; exit 1")
    with pytest.raises(FirewallError) as told:
        await Firewall("vpn0", FOUR).install([])
    assert str(told.value) == (
        "nft refuses: netlink: Error: cache initialization failed: Operation not permitted;"
        " the gate has to run as root, or with the capability CAP_NET_ADMIN"
    )


async def test_a_refusal_of_ten_thousand_pairs_is_told_in_a_few_lines(nft) -> None:
    nft('read line; while read line; do echo "$line" >&2; done; exit 1')
    pairs = [pair("10.66.0.2", f"172.18.{number // 250}.{number % 250}") for number in range(10_000)]
    with pytest.raises(FirewallError) as told:
        await Firewall("vpn0", FOUR).change(pairs, [])
    assert len(str(told.value)) < 700


async def test_a_program_that_hangs_is_ended(nft, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process, "LIMIT", 0.2)
    nft("exec /bin/sleep 1000")
    with pytest.raises(FirewallError, match=r"nft did not end within 0\.2 seconds"):
        await Firewall("vpn0", FOUR).change([pair("10.66.0.2", "172.18.0.5")], [])


async def test_where_there_are_no_iptables_there_is_no_docker_to_tell(nft) -> None:
    nft("echo '{\"nftables\": []}'")
    await Firewall("vpn0", FOUR).install([])


async def test_no_change_starts_no_program() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "/nonexistent")
        await Firewall("vpn0", FOUR).change([], [])
