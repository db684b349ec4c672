"""What on the host keeps packets that the gate let through from arriving."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from chatsubo.domain.text import N_, Text
from chatsubo.gate.firewall import docker_user
from chatsubo.gate.firewall.forwarding import forwards
from chatsubo.gate.firewall.process import ProgramMissing, call
from chatsubo.gate.firewall.ruleset import MARK

_LEGACY_TABLES = {"ip": Path("/proc/net/ip_tables_names"), "ip6": Path("/proc/net/ip6_tables_names")}
_SWITCH = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}
_NO_CHAIN, _NO_TABLE = 1, 3


class Obstacle(Struct, frozen=True, kw_only=True):
    """Something that is not as it should be.

    Attributes:
        text: What was seen.
        remedy: What to do about it.
    """

    text: Text
    remedy: Text


async def obstacles(interface: str, *, six: bool) -> Sequence[Obstacle]:
    """Return what is in the way of players' packets on this host. Changes nothing.

    Args:
        interface: The name of the VPN interface.
        six: Whether players have IPv6.

    Raises:
        FirewallError: The kernel's rules cannot be read.
    """
    versions = (4, 6) if six else (4,)
    found = [_does_not_forward(version) for version in versions if not forwards(version)]
    found += [_drops(place) for place in await _dropping()]
    if await _docker_drops_routed(interface):
        found.append(_docker(interface))
    return found


def _does_not_forward(version: int) -> Obstacle:
    return Obstacle(
        text=Text(N_("This host does not pass IPv{version} packets on."), {"version": version}),
        remedy=Text(N_("Put {switch} = 1 into a file in /etc/sysctl.d, and load it."), {"switch": _SWITCH[version]}),
    )


def _drops(place: str) -> Obstacle:
    mark = f"{MARK:#x}/{MARK:#x}"
    return Obstacle(
        text=Text(N_("{place} drops what it does not know, the players' packets too."), {"place": place}),
        remedy=Text(N_("Accept packets with the mark {mark} there: the gate let them through."), {"mark": mark}),
    )


def _docker(interface: str) -> Obstacle:
    option = f"com.docker.network.bridge.trusted_host_interfaces={interface}"
    return Obstacle(
        text=Text(N_("Docker drops what comes to its containers from other interfaces.")),
        remedy=Text(N_("Make the machines' network with the option {option}."), {"option": option}),
    )


async def _dropping() -> list[str]:
    """Return the chains that drop forwarded packets unless a rule accepts them, but those that ours passes."""
    answer = msgspec.json.decode((await call("nft", "-j", "list", "chains"))[1])
    chains = [one["chain"] for one in answer["nftables"] if "chain" in one]
    # The rule in DOCKER-USER is there for them.
    passed = {(one["family"], one["table"], "FORWARD") for one in chains if one["name"] == docker_user.CHAIN}
    return [
        f"nft chain {one['family']} {one['table']} {one['name']}"
        for one in chains
        if _may_drop(one) and (one["family"], one["table"], one["name"]) not in passed
    ] + await _legacy_dropping()


def _may_drop(chain: Mapping[str, Any]) -> bool:
    return chain.get("hook") == "forward" and chain.get("policy") == "drop"


async def _legacy_dropping() -> list[str]:
    """Likewise for the old iptables, which nft does not show. Asking it where nobody uses it would begin to use it."""
    found = []
    for family, names in _LEGACY_TABLES.items():
        if names.exists() and "filter" in names.read_text().split():
            program = f"{family}tables-legacy"
            rules = await _listed(program, "-S")
            if "-P FORWARD DROP" in rules and f"-N {docker_user.CHAIN}" not in rules:
                found.append(f"{program} FORWARD")
    return found


async def _docker_drops_routed(interface: str) -> bool:
    """Return whether Docker 28 or later keeps what is routed to containers from them, before any other rule is asked.

    For each container it has ``-d ADDRESS ! -i BRIDGE -j DROP``, after an ACCEPT for each interface that it was told
    to trust (moby pull requests 49829 and 49832). Those with a port are of releases that dropped published ports only.
    """
    trusted: set[str] = set()
    for line in await _listed("iptables", "-t", "raw", "-S", "PREROUTING"):
        words = line.split()
        if words[:3] == ["-A", "PREROUTING", "-d"]:
            if words[4:] == ["-i", interface, "-j", "ACCEPT"]:
                trusted.add(words[3])
            elif words[4:6] == ["!", "-i"] and words[7:] == ["-j", "DROP"] and words[3] not in trusted:
                return True
    return False


async def _listed(program: str, *arguments: str) -> list[str]:
    try:
        status, said = await call(program, "-w", "5", *arguments, accept=(0, _NO_CHAIN, _NO_TABLE))
    except ProgramMissing:
        return []
    return said.splitlines() if status == 0 else []
