"""What ``chatsubo doctor`` says about an engine."""

from collections.abc import Iterator, Mapping
from typing import Any

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Finding, Listing
from chatsubo.providers.docker.config import Api, DockerConfig
from chatsubo.providers.docker.network import BRIDGE, Network, Wanted
from chatsubo.providers.docker.template import DockerTemplate
from chatsubo.providers.exc import Advice, ProviderError

DIRECT_ROUTING_SINCE = 28
_LIMITS = (("MemoryLimit", N_("memory")), ("CpuCfsQuota", N_("processors")), ("PidsLimit", N_("processes")))
_ASKED = {"memory": N_("memory"), "cpus": N_("processors"), "processes": N_("processes")}


def transport(config: DockerConfig) -> Iterator[Finding]:
    """Say how safe the way to the engine is."""
    if config.api.unix_socket is None and not config.api.tls:
        yield Finding(
            ok=False,
            text=Text(N_("The engine is asked without TLS: whoever reaches its port is root on its host.")),
            remedy=Text(N_("Give the engine mutual TLS, and configure api.client.")),
        )


def engine(version: Mapping[str, Any], info: Mapping[str, Any]) -> Iterator[Finding]:
    """Say which engine answers, and what it cannot do."""
    params = {"version": version.get("Version", "?"), "api": version.get("ApiVersion", "?")}
    yield Finding(ok=True, text=Text(N_("Docker Engine {version} answers (API {api})."), params))
    for key, what in _LIMITS:
        if info.get(key) is False:
            yield Finding(
                ok=False,
                text=Text(N_("The engine's host cannot limit {what}: a box can use all of it."), {"what": Text(what)}),
                remedy=Text(N_("Turn the kernel's control groups on.")),
            )
    if not any("seccomp" in option for option in info.get("SecurityOptions") or ()):
        yield Finding(
            ok=False,
            text=Text(N_("The engine filters no system calls (seccomp).")),
            remedy=Text(N_("Do not turn the engine's default seccomp profile off.")),
        )


def error(failure: ProviderError, api: Api) -> Finding:
    """Say what the engine could not be asked, and where to look."""
    return Finding(ok=False, text=Text("{detail}", {"detail": failure.detail}), remedy=_remedy(failure, api))


def templates(listing: Listing[DockerTemplate]) -> Iterator[Finding]:
    """Say which templates there are."""
    yield Finding(ok=True, text=Text(N_("Templates that can be used: {count}"), {"count": len(listing.items)}))
    for one in listing.rejected:
        params = {"name": one.name, "reason": one.reason}
        yield Finding(ok=False, text=Text(N_("The template {name} cannot be used: {reason}"), params))


def allowed(listing: Listing[DockerTemplate], config: DockerConfig) -> Iterator[Finding]:
    """Say what templates ask for and do not get."""
    for one in listing.items:
        for text in refused(one, config):
            yield Finding(ok=False, text=Text(N_("The template {name}: {what}"), {"name": one.name, "what": text}))


def refused(template: DockerTemplate, config: DockerConfig) -> tuple[Text, ...]:
    """Return what a template asks for and the configuration does not allow; its boxes run without it."""
    asked, allow = template.options, config.allow
    missing = sorted(asked.capabilities - set(allow.capabilities) - set(config.capabilities))
    texts = []
    if missing:
        text = N_("it asks for the capabilities {names}, which allow.capabilities does not name")
        texts.append(Text(text, {"names": ", ".join(missing)}))
    if asked.privileges and not allow.new_privileges:
        texts.append(Text(N_("it asks for new privileges, which allow.new_privileges does not permit")))
    if asked.internet and not allow.internet:
        texts.append(Text(N_("it asks for the internet, which allow.internet does not permit")))
    granted = config.limits_for(asked.limits, type(asked.limits)())
    for name, what in _ASKED.items():
        wanted = getattr(asked.limits, name)
        if wanted is not None and wanted > getattr(granted, name):
            params = {"what": Text(what), "setting": f"allow.{name}"}
            texts.append(Text(N_("it asks for more {what} than {setting} permits"), params))
    return tuple(texts)


def network(wanted: Wanted, found: Network | None) -> Iterator[Finding]:
    """Say how a network of boxes is."""
    name = {"name": wanted.name}
    if found is None and wanted.subnet is None:
        yield Finding(
            ok=False,
            text=Text(N_("There is no network {name}, and no addresses are configured to create it with."), name),
            remedy=Text(N_("Set {setting}, as in 172.30.0.0/16."), {"setting": wanted.setting}),
        )
    elif found is None:
        params = {**name, "subnet": wanted.subnet}
        yield Finding(
            ok=True, text=Text(N_("The network {name} is created at the first start, with {subnet}."), params)
        )
    else:
        yield from _separation(found, wanted)


def isolation(info: Mapping[str, Any], config: DockerConfig) -> Iterator[Finding]:
    """Say what nobody keeps boxes from."""
    if info.get("BridgeNfIptables") is False:
        yield Finding(
            ok=False,
            text=Text(N_("The host does not filter traffic inside a bridge: boxes reach each other.")),
            remedy=Text(N_("Load the kernel module br_netfilter and set net.bridge.bridge-nf-call-iptables=1.")),
        )
    if config.host_firewall:
        text = N_(
            "The host's firewall keeps boxes from its addresses and from other networks: the configuration says so."
        )
        yield Finding(ok=True, text=Text(text))
        return
    text = N_("Nobody keeps boxes from the addresses of their host, its neighbours and link-local addresses.")
    remedy = N_("Put the firewall rules of the manual on the host, then set host_firewall: true.")
    yield Finding(ok=False, text=Text(text), remedy=Text(remedy))


def routing(version: Mapping[str, Any], found: Network | None) -> Iterator[Finding]:
    """Say whether players who come through a gate reach boxes."""
    major = str(version.get("Version", "")).partition(".")[0]
    opened = found is not None and f"{BRIDGE}trusted_host_interfaces" in found.options
    if major.isdigit() and int(major) >= DIRECT_ROUTING_SINCE and not opened:
        yield Finding(
            ok=False,
            text=Text(N_("This engine drops what is routed to boxes: players reach published ports only.")),
            remedy=Text(N_("Set network_options with com.docker.network.bridge.trusted_host_interfaces.")),
        )


def _separation(found: Network, wanted: Wanted) -> Iterator[Finding]:
    name = {"name": found.name, "subnet": str(found.subnet)}
    good = True
    if not found.separates:
        good = False
        yield Finding(
            ok=False,
            text=Text(N_("Boxes in the network {name} reach each other."), name),
            remedy=Text(N_("Create it with the option enable_icc=false, or let the platform create it.")),
        )
    if found.masquerades and not wanted.internet:
        good = False
        yield Finding(
            ok=False,
            text=Text(N_("Boxes in the network {name} reach whatever their host reaches, the internet too."), name),
            remedy=Text(N_("Create it with the option enable_ip_masquerade=false, or let the platform create it.")),
        )
    if found.internal:
        good = False
        yield Finding(
            ok=False,
            text=Text(N_("The network {name} is internal: players who come through a gate do not reach boxes."), name),
            remedy=Text(N_("Create it without internal.")),
        )
    if good:
        yield Finding(ok=True, text=Text(N_("The network {name} ({subnet}) keeps boxes apart."), name))


def _remedy(failure: ProviderError, api: Api) -> Text | None:
    if failure.advice is not Advice.RETRY:
        return None
    if api.unix_socket is None:
        return Text(N_("Start the engine, and look at api.host and api.port."))
    text = N_(
        "Start the engine; see whether the socket {socket} exists, and whether the platform's account may use it: "
        "mostly it has to be in the group docker."
    )
    return Text(text, {"socket": api.unix_socket})
