"""What ``chatsubo doctor`` says about Proxmox."""

from collections.abc import Iterator, Mapping
from typing import Any

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Finding
from chatsubo.providers.exc import AccessRefused, Advice, ProviderError
from chatsubo.providers.pve.catalogue import Catalogue
from chatsubo.providers.pve.client import Client
from chatsubo.providers.pve.config import Dynamic, PveConfig

OLDEST = 7
BRIDGES_SINCE = 8
"""The version from which a bridge, too, is used by right only."""
CLASSIC_RIGHTS: tuple[tuple[str, ...], ...] = (
    ("VM.Audit",),
    ("VM.PowerMgmt",),
    ("VM.Snapshot.Rollback", "VM.Snapshot"),
)
DYNAMIC_RIGHTS: tuple[tuple[str, ...], ...] = (
    ("VM.Clone",),
    ("VM.Allocate",),
    ("VM.Config.Options",),
    ("VM.Config.Network",),
    ("VM.Config.Cloudinit",),
    ("VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted", "VM.Monitor"),
    ("VM.GuestAgent.FileWrite", "VM.GuestAgent.Unrestricted", "VM.Monitor"),
    ("Datastore.AllocateSpace",),
)
"""Each in the names of several versions: one of them is enough."""


def transport(config: PveConfig) -> Iterator[Finding]:
    """Say how safe the way to Proxmox is."""
    if not config.verify_ssl:
        yield Finding(
            ok=False,
            text=Text(N_("The certificate of Proxmox is not verified: who sits in between can read the token.")),
            remedy=Text(N_("Set ca to /etc/pve/pve-root-ca.pem of any node, and leave verify_ssl out.")),
        )


def major(answer: Mapping[str, Any]) -> int:
    """Return the major version that answers; 0 where it does not tell."""
    number = str(answer.get("version") or "").partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() else 0


def version(answer: Mapping[str, Any]) -> Iterator[Finding]:
    """Say which version answers."""
    told = str(answer.get("version") or "?")
    old = 0 < major(answer) < OLDEST
    yield Finding(
        ok=not old,
        text=Text(N_("Proxmox VE {version} answers."), {"version": told}),
        remedy=Text(N_("Versions before 7 are not supported: update it.")) if old else None,
    )


async def rights(client: Client, config: PveConfig, version: int) -> list[Finding]:
    """Say which rights the token lacks for a major version."""
    held: set[str] = set()
    for granted in (await client.get_object("/access/permissions")).values():
        held |= {name for name, given in dict(granted).items() if given or given == 0}
    needed = CLASSIC_RIGHTS + (DYNAMIC_RIGHTS if config.dynamic else ())
    if config.dynamic and version >= BRIDGES_SINCE:
        needed += (("SDN.Use",),)
    missing = [" / ".join(names) for names in needed if not held & set(names)]
    if not missing:
        return [Finding(ok=True, text=Text(N_("The token has the rights that it needs.")))]
    text = Text(N_("The token lacks these rights: {names}"), {"names": ", ".join(missing)})
    remedy = N_("Give them to the token itself, or turn its separate privileges off.")
    return [Finding(ok=False, text=text, remedy=Text(remedy))]


async def nodes(client: Client, config: PveConfig) -> list[Finding]:
    """Say which of the configured nodes are not there or not online."""
    found = {str(one["node"]): one.get("status") == "online" for one in await client.get_rows("/nodes", "node")}
    findings = []
    for name in config.nodes:
        if name not in found:
            params = {"name": name, "names": ", ".join(sorted(found))}
            text = Text(N_("There is no node {name}; there are: {names}"), params)
            findings.append(Finding(ok=False, text=text, remedy=Text(N_("Correct nodes, or leave it out for all."))))
    offline = [name for name in sorted(config.nodes or found) if found.get(name) is False]
    away = N_("The node {name} is not online.")
    return findings + [Finding(ok=False, text=Text(away, {"name": name})) for name in offline]


def guests(found: Catalogue) -> Iterator[Finding]:
    """Say what there is to play with."""
    counts = {"classic": len(found.classic), "dynamic": len(found.templates)}
    yield Finding(ok=True, text=Text(N_("Shared machines: {classic}; templates of clones: {dynamic}"), counts))
    for one in found.rejected:
        params = {"name": one.name, "reason": one.reason}
        yield Finding(ok=False, text=Text(N_("The guest {name} cannot be used: {reason}"), params))


async def firewall(client: Client, dynamic: Dynamic) -> list[Finding]:
    """Say whether the rules of clones are in force."""
    if not dynamic.firewall:
        text = N_("Clones get no firewall rules: the configuration says that their network keeps them apart.")
        return [Finding(ok=True, text=Text(text))]
    try:
        options = await client.get_object("/cluster/firewall/options")
    except AccessRefused:
        text = N_("Whether the firewall of the datacenter is on may not be read: the token lacks Sys.Audit.")
        return [Finding(ok=False, text=Text(text), remedy=Text(N_("Look yourself: Datacenter, Firewall, Options.")))]
    if str(options.get("enable") or "0") != "0":
        return [Finding(ok=True, text=Text(N_("The firewall of the datacenter is on.")))]
    text = N_("The firewall of the datacenter is off: the rules of clones have no effect.")
    return [Finding(ok=False, text=Text(text), remedy=Text(N_("Turn it on: Datacenter, Firewall, Options.")))]


def error(failure: ProviderError) -> Finding:
    """Say what Proxmox could not be asked, and where to look."""
    retry = failure.advice is Advice.RETRY
    remedy = Text(N_("Look at api.host and api.port, and whether the node is up.")) if retry else None
    return Finding(ok=False, text=Text("{detail}", {"detail": failure.detail}), remedy=remedy)
