"""Guests, as the platform sees them."""

from collections.abc import Mapping
from typing import Any

from chatsubo.domain.labels import Metadata
from chatsubo.providers.base import BaseInstance, Readiness
from chatsubo.providers.pve.guests import Guest
from chatsubo.providers.pve.labels import GENERATION, REALM, TEMPLATE

_DIGITS = 9


class PveInstance(BaseInstance):
    """A classic machine, or the clone of a session.

    Attributes:
        node: The node that it is on.
    """

    node: str = ""

    @classmethod
    def classic(cls, guest: Guest, metadata: Metadata, realm: str) -> "PveInstance":
        """Return the classic instance that a guest is; its metadata has a template and an address."""
        assert metadata.template is not None
        made = cls(
            guest.vmid, guest.name, realm, metadata.template, metadata.address, metadata.flags, metadata.creds,
            running=guest.running,
        )  # fmt: skip
        made.node = guest.node
        return made

    @classmethod
    def clone(cls, guest: Guest, labels: Mapping[str, str], metadata: Metadata) -> "PveInstance":
        """Return the instance of a session that a guest is, by the labels that we wrote."""
        made = cls(
            guest.vmid,
            guest.name,
            labels.get(REALM, ""),
            labels.get(TEMPLATE, ""),
            metadata.address,
            metadata.flags,
            metadata.creds,
            session=metadata.session,
            generation=generation(labels),
            running=guest.running,
            readiness=Readiness.STARTED,
        )
        made.node = guest.node
        return made

    def to_json(self) -> dict[str, Any]:
        """Return the instance as plain values; flags and passwords are in it."""
        return {**self._to_json(), "node": self.node}


def generation(labels: Mapping[str, str]) -> int:
    """Return the generation that a clone was made for."""
    text = labels.get(GENERATION, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0
