"""What ``chatsubo doctor`` finds of a gate that answers."""

import time
from collections.abc import Iterable

from chatsubo.domain.text import N_, Text
from chatsubo.gates import GateClient, Health
from chatsubo.providers.base import Finding

MOST_SECONDS_APART = 30
"""By which two clocks may differ: certificates bear it, and what two logs say of one moment still fits together."""


async def gate_findings(client: GateClient) -> list[Finding]:
    """Ask a gate how it is.

    Raises:
        GateError: If it does not answer, or as an old one says that it is not well.
    """
    before = time.time()
    health = await client.health()
    if health is None:
        await client.check()
        return [Finding(ok=True, text=Text(N_("it is well"))), _old()]
    return [*_errors(health), _places(health), *_clock(health, before, time.time())]


def _old() -> Finding:
    return Finding(
        ok=False,
        text=Text(N_("it is an old gate, without access control: everybody on its VPN reaches everything")),
        remedy=Text(N_("Put chatsubo gate serve in its place; its players' files can go on.")),
    )


def _errors(health: Health) -> Iterable[Finding]:
    remedy = Text(N_("Run chatsubo gate doctor on the gate's machine."))
    for error in health.errors:
        yield Finding(ok=False, text=Text("{error}", {"error": error}), remedy=remedy)
    if not health.errors:
        yield Finding(ok=True, text=Text(N_("it is well")))


def _places(health: Health) -> Finding:
    params = {"free": health.free, "places": health.places}
    if health.free > 0:
        return Finding(ok=True, text=Text(N_("free places: {free} of {places}"), params))
    return Finding(
        ok=False,
        text=Text(N_("it is full: all {places} places are taken"), params),
        remedy=Text(N_("Set up a second gate for the realm, or set expiration in the gate's file.")),
    )


def _clock(health: Health, before: float, after: float) -> Iterable[Finding]:
    """Hold the gate's clock against the moments before it was asked and after it answered."""
    if health.clock is None:
        return
    apart = round(abs(health.clock - min(max(health.clock, before), after)))
    if apart <= MOST_SECONDS_APART:
        yield Finding(ok=True, text=Text(N_("its clock agrees with this machine's")))
        return
    ahead, behind = (
        N_("its clock is {seconds} s ahead of this machine's"),
        N_("its clock is {seconds} s behind this machine's"),
    )
    yield Finding(
        ok=False,
        text=Text(ahead if health.clock > after else behind, {"seconds": apart}),
        remedy=Text(N_("Have both set over the network: timedatectl set-ntp true")),
    )
