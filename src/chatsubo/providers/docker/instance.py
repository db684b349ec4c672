"""Containers, as the platform sees them."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from chatsubo.domain.labels import Metadata, read_metadata
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import BaseInstance, Endpoint, Readiness
from chatsubo.providers.docker.labels import GENERATION
from chatsubo.providers.exc import MalformedMetadataException

SERVICES = {21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 80: "http", 443: "https", 3389: "rdp", 8080: "http"}
WHOLE_ID = 64


class DockerInstance(BaseInstance):
    """A container of a session, or a classic one.

    Attributes:
        kept: What ``unreset`` says, in the reader's language.
    """

    kept: tuple[Text, ...] = ()

    @classmethod
    def from_listing(cls, raw: Mapping[str, Any], *, realm: str, network: str, ports_host: str) -> "DockerInstance":
        """Return the instance that an entry of the engine's list of containers describes.

        Args:
            raw: The entry.
            realm: The realm, where its labels name none.
            network: The network of the boxes, whose address counts where a container has several.
            ports_host: Where players reach published ports.

        Raises:
            MalformedMetadataException: Its labels do not say what is needed.
        """
        labels = raw.get("Labels") or {}
        metadata = read_metadata(labels)
        name = name_of(raw)
        address = metadata.address if metadata.session is None and metadata.address else address_of(raw, network)
        found_realm = metadata.realm or realm
        if not found_realm:
            raise MalformedMetadataException("the label chatsubo.realm is missing")
        if address is not None and not _is_address(address):
            raise MalformedMetadataException("the label chatsubo.address is no address")
        kept = () if metadata.session else volumes(raw.get("Mounts") or ())
        made = cls(
            raw["Id"],
            name,
            found_realm,
            metadata.template or name,
            address,
            metadata.flags,
            metadata.creds,
            session=metadata.session if metadata.dynamic is not False else None,
            generation=_whole(labels.get(GENERATION, "")),
            running=raw.get("State") == "running",
            readiness=Readiness.HEALTHY if "(healthy)" in raw.get("Status", "") else Readiness.STARTED,
            endpoints=endpoints(raw.get("Ports") or (), address, ports_host),
            unreset=[str(one) for one in kept],
        )
        made.kept = kept
        return made


def name_of(raw: Mapping[str, Any]) -> str:
    """Return a container's name, from the engine's list or its inspection."""
    names = raw.get("Names") or [raw.get("Name", "")]
    return str(names[0]).lstrip("/")


def address_of(raw: Mapping[str, Any], network: str) -> str | None:
    """Return a container's address, in ``network`` if it is there, else in its first network."""
    networks = (raw.get("NetworkSettings") or {}).get("Networks") or {}
    chosen = [networks[network]] if network in networks else list(networks.values())
    for one in chosen:
        found = one.get("IPAddress") or (one.get("IPAMConfig") or {}).get("IPv4Address")
        if found:
            return str(found)
    return None


def endpoints(ports: Iterable[Mapping[str, Any]], address: str | None, ports_host: str) -> tuple[Endpoint, ...]:
    """Return the services of a container: where a port is published, that; else its own address.

    Args:
        ports: As in the engine's list of containers.
        address: The container's address.
        ports_host: Where players reach published ports.
    """
    published = {one["PrivatePort"]: one["PublicPort"] for one in ports if one.get("PublicPort") and _is_tcp(one)}
    inside = {one["PrivatePort"] for one in ports if _is_tcp(one)} - set(published)
    found = [Endpoint(SERVICES.get(port, "tcp"), ports_host, published[port]) for port in sorted(published)]
    if address is not None:
        found += [Endpoint(SERVICES.get(port, "tcp"), address, port) for port in sorted(inside)]
    return tuple(found)


def volumes(mounts: Iterable[Mapping[str, Any]]) -> tuple[Text, ...]:
    """Return what a reset leaves as it is: volumes with a name, and folders of the host, in words for organisers."""
    kept = []
    for mount in mounts:
        source, target = mount.get("Name") or mount.get("Source") or "", mount.get("Destination", "")
        if mount.get("Type") == "volume" and not _is_anonymous(str(mount.get("Name") or "")):
            kept.append(Text(N_("volume {source} at {target}"), {"source": source, "target": target}))
        elif mount.get("Type") == "bind":
            text = N_("folder {source} of the host at {target}")
            kept.append(Text(text, {"source": mount.get("Source", ""), "target": target}))
    return tuple(sorted(kept, key=str))


def classic_metadata(raw: Mapping[str, Any]) -> Metadata | None:
    """Return the metadata of a container that says it is a classic instance; None for any other."""
    metadata = read_metadata(raw.get("Labels") or {})
    return metadata if metadata.dynamic is False else None


def _is_anonymous(name: str) -> bool:
    return len(name) == WHOLE_ID and all(character in "0123456789abcdef" for character in name)


def _is_tcp(port: Mapping[str, Any]) -> bool:
    return bool(port.get("Type", "tcp") == "tcp")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004
