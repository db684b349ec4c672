"""What the kernel has, as ``nft -j`` tells it."""

from ipaddress import ip_address
from typing import Any

import msgspec
from msgspec import Struct

from chatsubo.gate.model import Pair

_CHANGING = {"handle", "elem", "packets", "bytes"}


class Dropped(Struct, frozen=True, kw_only=True):
    """How many packets were dropped since the rules were first made, and why.

    Attributes:
        spoofed: They claimed a source that is not theirs.
        forbidden: They went to, or came from, where no player ever may: each other, a protected network.
        unpaired: The player may not reach the machine, or the machine may not open a connection to the player.
        host: They went to the gate's own host.
    """

    spoofed: int
    forbidden: int
    unpaired: int
    host: int


class Listing(Struct, frozen=True, kw_only=True):
    """A table.

    Attributes:
        pairs: The pairs that are let through.
        frame: Everything else that counts: sets, chains and rules, comparable with another one.
    """

    pairs: frozenset[Pair]
    frame: bytes


def read_table(answer: str) -> Listing:
    """Read what ``nft -j list table`` answers."""
    objects = _objects(answer)
    sets = {one["set"]["name"]: one["set"] for one in objects if "set" in one}
    pairs = {pair for version in (4, 6) for pair in _pairs(sets, version)}
    frame = [{kind: _steady(body) for kind, body in one.items()} for one in objects]
    return Listing(pairs=frozenset(pairs), frame=msgspec.json.encode(frame, order="sorted"))


def read_counters(answer: str) -> Dropped:
    """Read what ``nft -j list counters`` answers."""
    counters = {one["counter"]["name"]: one["counter"]["packets"] for one in _objects(answer) if "counter" in one}
    return Dropped(**{name: counters.get(name, 0) for name in Dropped.__struct_fields__})


def _objects(answer: str) -> list[dict[str, Any]]:
    return [one for one in msgspec.json.decode(answer)["nftables"] if "metainfo" not in one]


def _pairs(sets: dict[str, Any], version: int) -> set[Pair]:
    both, back = (
        {tuple(one["concat"]) for one in sets.get(f"{name}{version}", {}).get("elem", ())} for name in ("pairs", "back")
    )
    return {
        Pair(player=ip_address(player), machine=ip_address(machine), back=(player, machine) in back)
        for player, machine in both | back
    }


def _steady(body: Any) -> Any:
    return {name: value for name, value in body.items() if name not in _CHANGING} if isinstance(body, dict) else body
