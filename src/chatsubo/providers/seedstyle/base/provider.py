"""``app.providers.base.provider``: what a plugin of the founding document makes its provider from."""

from collections.abc import Iterable
from typing import Any, Self


class BaseProvider:
    """A configured connection to one hypervisor. Methods are plain functions, and may block.

    Attributes:
        kind: Which plugin.
        is_dynamic: Whether it can start an instance on demand.
        name: The provider's unique name.
        realms: The realms that it serves.
        vpn_providers: The gates of its realms.
    """

    kind = ""
    is_dynamic = False
    name = ""

    def __init__(self, realms: Iterable[str], vpn_providers: Any = (), kind: str = "") -> None:
        self.realms = list(realms)
        self.vpn_providers = vpn_providers
        if kind:
            self.kind = kind

    @classmethod
    def from_config(cls, name: str, raw_conf: dict[str, Any], vpns: Any) -> Self:
        """Return the provider that the configuration describes; it may connect.

        Args:
            name: The provider's unique name.
            raw_conf: What stands below its name in the configuration, with all secrets in it.
            vpns: The gates of its realms.
        """
        raise NotImplementedError("from_config")

    def list_realms(self) -> list[str]:
        """Return the realms that it serves."""
        return list(self.realms)

    def list_templates(self) -> Any:
        """Return the templates, as plain values or objects."""
        raise NotImplementedError("list_templates")

    def list_instances(self, realm: str | None = None) -> Any:
        """Return the instances, those of one realm or all."""
        raise NotImplementedError("list_instances")

    def reset(self, realm: str, template: str, session: Any = None) -> Any:
        """Bring an instance back to its initial state.

        Args:
            realm: The instance's realm.
            template: Its template.
            session: For the instance of a session something whose ``id`` is the session's.

        Returns:
            ``False`` or a text if it did not work.
        """
        raise NotImplementedError("reset")

    def start_dynamic_instance(self, realm: str, template: str, session_id: str) -> Any:
        """Start an instance for a session; return ``False`` or a text if it did not work."""
        raise NotImplementedError("start_dynamic_instance")

    def stop_dynamic_instance(self, session_id: str) -> Any:
        """Remove a session's instance; return ``False`` or a text if it did not work."""
        raise NotImplementedError("stop_dynamic_instance")

    def to_json(self, with_vpns: bool = True) -> dict[str, Any]:
        """Return what identifies the provider, as plain values."""
        data: dict[str, Any] = {
            "kind": self.kind,
            "name": self.name,
            "realms": self.list_realms(),
            "is_dynamic": self.is_dynamic,
        }
        if with_vpns:
            data["vpns"] = [one.to_json() if hasattr(one, "to_json") else str(one) for one in self.vpn_providers or ()]
        return data
