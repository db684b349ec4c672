"""What is usually wrong where a gate does not work."""

import asyncio
import os
import shutil
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

import msgspec
from msgspec import Struct

from chatsubo.domain.text import N_, Text
from chatsubo.gate.addresses import AddressPlan
from chatsubo.gate.config import GateConfig
from chatsubo.gate.errors import FirewallError, SubnetTaken
from chatsubo.gate.firewall import obstacles

_TUN = Path("/dev/net/tun")
_MODULE = Path("/sys/module/wireguard")
_LIMIT = 10.0
_PROBES = 3

Network = IPv4Network | IPv6Network


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    Attributes:
        ok: Whether it is as it should be.
        text: What was seen.
        remedy: What to do about it.
    """

    ok: bool
    text: Text
    remedy: Text | None = None


class Route(Struct, frozen=True, kw_only=True):
    """A route of this host.

    Attributes:
        network: Where it leads.
        device: The interface that it leads through.
        gateway: The router that it leads to, if it is no network of this host's own.
    """

    network: Network
    device: str
    gateway: str | None


async def examine(config: GateConfig, machines: Sequence[str] = ()) -> list[Finding]:
    """Return what is as it should be on this host, and what is not. Changes nothing.

    Args:
        config: The gate's file.
        machines: Addresses that players may reach now: some are asked whether they know the way back.
    """
    found = [*_programs(config), await _clock()]
    try:
        barriers = await obstacles(config.interface, six=config.network6 is not None)
    except FirewallError as error:
        found.append(Finding(ok=False, text=Text(str(error))))
    else:
        found += [Finding(ok=False, text=one.text, remedy=one.remedy) for one in barriers]
        if not barriers:
            found.append(Finding(ok=True, text=Text(N_("This host passes players' packets on."))))
    found += networks(config, await _routes())
    found += await asyncio.gather(*(_way_back(config, machine) for machine in machines[:_PROBES]))
    return found


async def refuse_taken_subnet(config: GateConfig) -> None:
    """See that the players have no addresses that machines on this host's own networks have.

    The rules let a player's address in through the tunnel alone: those machines would reach this host no more, nor
    would whoever logs in from there to put it right.

    Raises:
        SubnetTaken: They have.
    """
    own = [one for one in await _routes() if one.gateway is None and one.device != config.interface]
    for subnet in (one for one in (config.network4, config.network6) if one is not None):
        for one in own:
            if one.network.prefixlen and _overlap(subnet, one.network):
                raise SubnetTaken(
                    f"the players' subnet {subnet} overlaps {one.network}, this host's own network on {one.device}, "
                    "which it would be cut off from: give the gate another subnet"
                )


def networks(config: GateConfig, routes: Sequence[Route]) -> Iterable[Finding]:
    """Hold the players' subnet and the realm's networks against the host's routes."""
    others = [one for one in routes if one.device != config.interface and one.network.prefixlen]
    for subnet in (one for one in (config.network4, config.network6) if one is not None):
        clashes = [one for one in others if _overlap(subnet, one.network)]
        if not clashes:
            yield Finding(ok=True, text=Text(N_("No other network overlaps {subnet}."), {"subnet": str(subnet)}))
        for one in clashes:
            params = {"subnet": str(subnet), "network": str(one.network), "device": one.device}
            yield Finding(
                ok=False,
                text=Text(N_("The players' subnet {subnet} overlaps {network}, on {device}."), params),
                remedy=Text(N_("Give the gate another subnet, before it has given accesses.")),
            )
    for text in config.routes:
        yield _reached(config, ip_network(text), others)


def _reached(config: GateConfig, wanted: Network, routes: Sequence[Route]) -> Finding:
    fitting = [one for one in routes if _overlap(wanted, one.network)]
    params = {"network": str(wanted), "subnet": config.subnet}
    if not fitting:
        return Finding(
            ok=False,
            text=Text(N_("This host has no route of its own to {network}: packets leave by the default one."), params),
            remedy=Text(N_("Add a route, or take the network out of routes.")),
        )
    routers = sorted({one.gateway for one in fitting if one.gateway})
    if not routers:
        return Finding(ok=True, text=Text(N_("{network} is a network of this host."), params))
    told = {**params, "routers": ", ".join(routers)}
    return Finding(ok=True, text=Text(N_("{network} is behind {routers}, which needs a route to {subnet}."), told))


def _programs(config: GateConfig) -> Iterable[Finding]:
    root = os.geteuid() == 0
    yield Finding(
        ok=root,
        text=Text(N_("The gate runs as root.") if root else N_("The gate does not run as root.")),
        remedy=Text(N_("Run it as root: it makes interfaces and rules.")),
    )
    needed = ["nft", "openvpn" if config.kind == "openvpn" else "wireguard-go"]
    if config.kind == "wireguard" and _MODULE.exists():
        needed.remove("wireguard-go")
    for program in needed:
        params = {"program": program}
        if shutil.which(program):
            yield Finding(ok=True, text=Text(N_("{program} is installed."), params))
        else:
            text = Text(N_("{program} is not installed."), params)
            yield Finding(ok=False, text=text, remedy=Text(N_("Install it with your system's packages.")))
    if "wireguard-go" in needed or config.kind == "openvpn":
        yield Finding(
            ok=_TUN.exists(),
            text=Text(N_("There is a TUN device.") if _TUN.exists() else N_("There is no TUN device, /dev/net/tun.")),
            remedy=Text(N_("Load the module: modprobe tun. In a container, give it the device.")),
        )


async def _clock() -> Finding:
    """Say whether something sets the clock: certificates and handshakes depend on it."""
    answer = await _output("timedatectl", "show", "--property=NTPSynchronized", "--value")
    match answer.strip():
        case "no":
            remedy = Text(N_("Switch it on: timedatectl set-ntp true. A clock that is off keeps players out."))
            return Finding(ok=False, text=Text(N_("Nothing sets this host's clock.")), remedy=remedy)
        case "yes":
            return Finding(ok=True, text=Text(N_("This host's clock is set over the network.")))
    return Finding(ok=True, text=Text(N_("What sets this host's clock is not known.")))


async def _way_back(config: GateConfig, machine: str) -> Finding:
    gate = AddressPlan(config.network4, config.network6, ()).gate
    own = gate.six if ":" in machine else gate.four
    params = {"machine": machine, "subnet": config.subnet}
    if await _status("ping", "-c", "1", "-W", "2", "-I", str(own), machine) == 0:
        return Finding(ok=True, text=Text(N_("{machine} knows the way back to players."), params))
    return Finding(
        ok=False,
        text=Text(N_("{machine} does not answer a ping from the gate's address in the tunnel."), params),
        remedy=Text(N_("Unless it blocks pings: give its network a route to {subnet} by way of this host."), params),
    )


async def _routes() -> list[Route]:
    found: list[Route] = []
    for version in ("-4", "-6"):
        answer = await _output("ip", "-json", version, "route", "show")
        for one in msgspec.json.decode(answer or "[]"):
            text = one["dst"] if one["dst"] != "default" else ("0.0.0.0/0" if version == "-4" else "::/0")
            network = ip_network(text, strict=False)
            if not network.is_link_local and not network.is_multicast:
                found.append(Route(network=network, device=one.get("dev", ""), gateway=one.get("gateway")))
    return found


def _overlap(first: Network, second: Network) -> bool:
    if isinstance(first, IPv4Network) and isinstance(second, IPv4Network):
        return first.overlaps(second)
    return isinstance(first, IPv6Network) and isinstance(second, IPv6Network) and first.overlaps(second)


async def _status(*command: str) -> int | None:
    return (await _run(*command))[0]


async def _output(*command: str) -> str:
    return (await _run(*command))[1]


async def _run(*command: str) -> tuple[int | None, str]:
    """Run a program, and return its status and what it wrote; None where it is missing or takes too long."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return None, ""
    try:
        async with asyncio.timeout(_LIMIT):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return None, ""
    return process.returncode, said.decode(errors="replace")
