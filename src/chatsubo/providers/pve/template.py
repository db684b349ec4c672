"""Templates: classic machines, and what clones are made from."""

import re
from collections.abc import Mapping
from typing import Any

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import BaseTemplate
from chatsubo.providers.pve.guests import Guest, Raw, properties
from chatsubo.providers.pve.labels import emptied
from chatsubo.providers.pve.options import Options, read_options

_DRIVE = re.compile(r"(ide|sata|scsi|virtio)\d+")
_CLOUD_INIT = re.compile(r"([^,]*[:/])?(vm-\d+-)?cloudinit(\.\w+)?(,.*)?")
_NO_DRIVE = N_("it has no cloud-init drive, which brings account, password, keys and address in: add one")
_CONTAINER = N_(
    "containers are not given values of a session: write flags and accesses out, or use a virtual machine; its labels "
    "ask for {names}"
)


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
        super().__init__(name, provider, shown, dynamic, (*warnings, *self.options.warnings, *self._unreachable()))

    @property
    def has_agent(self) -> bool:
        """Whether the QEMU guest agent is turned on in its options."""
        agent = str(self.config.get("agent") or "0")
        turned_on = agent.partition(",")[0] == "1" or properties(agent).get("enabled") == "1"
        return self.guest.kind == "qemu" and turned_on

    @property
    def has_cloud_init(self) -> bool:
        """Whether it has a cloud-init drive, by which Proxmox tells a guest its account and its address."""
        return any(_DRIVE.fullmatch(key) and _CLOUD_INIT.fullmatch(str(value)) for key, value in self.config.items())

    def unusable(self, *, addressed: bool) -> Text | None:
        """Return why no clones can be made of it, if so.

        Args:
            addressed: Whether clones are to have configured addresses.
        """
        if self.guest.kind == "qemu" and not self.guest.template:
            return Text(N_("it is marked as dynamic, but is no template: convert it to one"))
        if self.guest.kind == "lxc" and not self.guest.template and self.guest.running:
            return Text(N_("it is marked as dynamic, but runs: stop it, or convert it to a template"))
        if self.guest.kind == "lxc" and (asked := self.options.asked):
            return Text(_CONTAINER, {"names": ", ".join(asked)})
        if self.guest.kind == "qemu" and (addressed or self.options.cloud_init) and not self.has_cloud_init:
            return Text(_NO_DRIVE)
        if self.options.inside and not self.has_agent:
            return Text(N_("files and programs are brought in by the guest agent: turn it on in the options"))
        return None

    def _unreachable(self) -> tuple[Text, ...]:
        """Return a warning where labels name values that nothing brings into a clone: no player could find them."""
        lost = sorted(self.options.named - self.options.brought - {"SESSION"})
        told = N_("nothing brings {names} into its clones: chatsubo.file, chatsubo.exec and chatsubo.cloudinit do")
        return (Text(told, {"names": ", ".join(lost)}),) if lost and self.guest.kind == "qemu" else ()

    def to_json(self) -> dict[str, Any]:
        """Return the template as plain values; flags and passwords are in it."""
        return {**self._to_json(), "vmid": self.guest.vmid, "node": self.guest.node}
