"""The network of a clone: its card, its address, and the firewall rules that keep it from all but its players."""

import contextlib
from collections.abc import Iterator
from ipaddress import IPv4Address

from chatsubo.providers.exc import Misconfigured
from chatsubo.providers.pve.client import Values
from chatsubo.providers.pve.config import Dynamic, RealmNetwork
from chatsubo.providers.pve.errors import Exists
from chatsubo.providers.pve.guests import Guest, Guests, Raw, properties, property_string

_OURS = ("bridge", "firewall", "tag", "trunks", "link_down", "ip", "gw", "ip6", "gw6")
_MODELS = frozenset({"virtio", "e1000", "e1000e", "rtl8139", "vmxnet3", "i82551", "i82557b", "i82559er", "ne2k_pci"})
IPSET = "ipfilter-net0"


def network_of(dynamic: Dynamic, realm: str) -> RealmNetwork:
    """Return where the clones of a realm are.

    Raises:
        Misconfigured: Nothing is configured for it.
    """
    if realm not in dynamic.networks:
        raise Misconfigured(f"dynamic.networks has nothing for the realm {realm!r}")
    return dynamic.networks[realm]


def address_for(dynamic: Dynamic, realm: str, vmid: int) -> IPv4Address | None:
    """Return the address of the clone with an id: the cluster gives out each id once, so each address too.

    Returns:
        None where the network's own DHCP server gives them.
    """
    addresses = network_of(dynamic, realm).addresses
    return None if addresses is None else addresses.at(vmid - dynamic.vmids.first)


def card(guest: Guest, config: Raw, network: RealmNetwork, dynamic: Dynamic, mac: str) -> dict[str, str]:
    """Return the parameters that put a new clone into its realm's network, and nowhere else.

    Args:
        guest: The clone.
        config: Its configuration, as inherited from its template.
        network: The realm's.
        dynamic: What is configured for clones.
        mac: The hardware address to keep, from the clone that it takes the place of; empty for its own.
    """
    old = properties(str(config.get("net0") or ""))
    new = _virtual_card(old, mac) if guest.kind == "qemu" else _container_card(old, mac)
    new |= {"bridge": network.bridge, "firewall": "1" if dynamic.firewall else "0"}
    if network.vlan is not None:
        new["tag"] = str(network.vlan)
    address = _address(network, dynamic, guest.vmid)
    if guest.kind == "lxc":
        new |= address
    values = {"net0": property_string(new)}
    if guest.kind == "qemu":
        values["ipconfig0"] = property_string(address)
    if network.dns is not None:
        values["nameserver"] = network.dns
    return values


def other_cards(config: Raw) -> list[str]:
    """Return the cards of a guest beside the first: they would lead around the rules."""
    return sorted(key for key in config if key.startswith("net") and key[3:].isdigit() and key != "net0")


def mac_of(config: Raw) -> str:
    """Return the hardware address of a guest's first card; empty where it has none."""
    card = properties(str(config.get("net0") or ""))
    return card.get("hwaddr") or next((value for key, value in card.items() if key in _MODELS), "")


async def fence(guests: Guests, guest: Guest, network: RealmNetwork, dynamic: Dynamic) -> None:
    """Let a clone talk to its players and to nobody else: not to other clones, nor to the hypervisor.

    Raises:
        ProviderError: As Proxmox answers.
    """
    if not dynamic.firewall:
        return
    fixed = network.addresses is not None
    await _clear(guests, guest)
    if network.addresses is not None:
        await _bind(guests, guest, str(network.addresses.at(guest.vmid - dynamic.vmids.first)))
    for rule in _rules(network):
        await guests.post(guest, "firewall/rules", {"enable": 1, "action": "ACCEPT", **rule})
    policies: Values = {"enable": True, "policy_in": "DROP", "policy_out": "DROP"}
    filters: Values = {"macfilter": True, "ipfilter": fixed, "dhcp": not fixed, "radv": False}
    await guests.put(guest, "firewall/options", {**policies, **filters})


async def _clear(guests: Guests, guest: Guest) -> None:
    """Remove all rules: a clone inherits its template's, and some may be there from a try that was cut off."""
    rules = await guests.client.get_rows(f"{guest.path}/firewall/rules", "pos")
    for place in sorted((int(one["pos"]) for one in rules), reverse=True):
        await guests.client.change("DELETE", f"{guest.path}/firewall/rules/{place}")


async def _bind(guests: Guests, guest: Guest, address: str) -> None:
    """Let the first card send from its own address only, whatever its template's was let to."""
    place = f"{guest.path}/firewall/ipset/{IPSET}"
    with contextlib.suppress(Exists):
        await guests.post(guest, "firewall/ipset", {"name": IPSET})
    held = {str(one["cidr"]) for one in await guests.client.get_rows(place, "cidr")}
    if held - {address}:
        await guests.client.change("DELETE", place, {"force": True})
        await guests.post(guest, "firewall/ipset", {"name": IPSET})
    if held != {address}:
        await guests.post(guest, f"firewall/ipset/{IPSET}", {"cidr": address})


def _rules(network: RealmNetwork) -> Iterator[dict[str, str]]:
    for players in network.players:
        yield {"type": "in", "source": players}
        yield {"type": "out", "dest": players}
    if network.dns is not None:
        yield {"type": "out", "dest": network.dns, "macro": "DNS"}


def _address(network: RealmNetwork, dynamic: Dynamic, vmid: int) -> dict[str, str]:
    if network.addresses is None:
        return {"ip": "dhcp"}
    address = network.addresses.at(vmid - dynamic.vmids.first)
    given = {"ip": f"{address}/{network.addresses.network.prefixlen}"}
    return given | ({"gw": network.gateway} if network.gateway else {})


def _virtual_card(old: dict[str, str], mac: str) -> dict[str, str]:
    model = next((key for key in old if key in _MODELS), old.get("model") or "virtio")
    own = mac or old.get(model) or old.get("macaddr") or ""
    kept = {key: value for key, value in old.items() if key not in (*_OURS, model, "model", "macaddr")}
    return ({model: own} if own else {"model": model}) | kept


def _container_card(old: dict[str, str], mac: str) -> dict[str, str]:
    kept = {key: value for key, value in old.items() if key not in _OURS}
    return {"name": "eth0", **kept} | ({"hwaddr": mac} if mac else {})
