"""Templates: classic machines, and what clones are made from."""

from collections.abc import Mapping
from typing import Any

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import BaseTemplate
from chatsubo.providers.pve.guests import Guest, Raw, properties
from chatsubo.providers.pve.labels import emptied
from chatsubo.providers.pve.options import Options, read_options


class PveTemplate(BaseTemplate):
    """What a box is made from on Proxmox.

    Attributes:
        guest: The guest itself.
        written: Its labels as they are written, with the names of values in them.
        options: How a clone gets its values.
        config: The guest's configuration.
    """

    def __init__(
        self,
        name: str,
        provider: Any,
        labels: Mapping[str, str] | None = None,
        dynamic: bool = False,
        *,
        guest: Guest,
        config: Raw | None = None,
        warnings: tuple[Text, ...] = (),
    ) -> None:
        self.guest = guest
        self.config = dict(config or {})
        self.written = dict(labels or {})
        self.options = read_options(self.written) if dynamic else Options()
        shown = {key: emptied(value) for key, value in self.written.items()} if dynamic else self.written
        super().__init__(name, provider, shown, dynamic, (*warnings, *self.options.warnings))

    @property
    def has_agent(self) -> bool:
        """Whether the QEMU guest agent is turned on in its options."""
        agent = str(self.config.get("agent") or "0")
        turned_on = agent.partition(",")[0] == "1" or properties(agent).get("enabled") == "1"
        return self.guest.kind == "qemu" and turned_on

    def unusable(self) -> Text | None:
        """Return why no clones can be made of it, if so."""
        if self.guest.kind == "qemu" and not self.guest.template:
            return Text(N_("it is marked as dynamic, but is no template: convert it to one"))
        if self.guest.kind == "lxc" and not self.guest.template and self.guest.running:
            return Text(N_("it is marked as dynamic, but runs: stop it, or convert it to a template"))
        if self.options.inside and self.guest.kind == "lxc":
            return Text(N_("files and programs cannot be brought into containers: use a virtual machine"))
        if self.options.inside and not self.has_agent:
            return Text(N_("files and programs are brought in by the guest agent: turn it on in the options"))
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the template as plain values; flags and passwords are in it."""
        return {**self._to_json(), "vmid": self.guest.vmid, "node": self.guest.node}
