"""A provider that is configured but cannot be used, among those that can."""

from collections.abc import Sequence
from typing import Any, ClassVar, Never, Self

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import BaseInstance, BaseProvider, BaseTemplate, Check, Listing, Progress, StartOrder
from chatsubo.providers.exc import Advice, ProviderError


class PluginDisabled(ProviderError):
    """The provider's plugin cannot be used."""

    advice: ClassVar[Advice] = Advice.ASK_ADMIN
    message: ClassVar[str] = N_("The machine's host cannot be used: its plugin is disabled. Tell an organiser.")


class DisabledProvider(BaseProvider):
    """Takes the place of a provider whose plugin is disabled: whatever is asked of it fails with the reason.

    What the platform knows of its machines stays known, so nothing is forgotten on the hypervisor meanwhile.

    Args:
        kind: Which plugin it should be of.
        name: Its name.
        realms: The realms that it would serve.
        reason: Why it is disabled. Never a secret.
    """

    def __init__(self, kind: str, name: str, realms: Sequence[str], reason: Text) -> None:
        super().__init__(realms)
        # A class has one kind; this one stands for all.
        self.__dict__["kind"] = kind
        self.name = name
        self.reason = reason

    @classmethod
    def from_config(cls, name: str, raw_conf: Any, vpns: Any) -> Self:  # noqa: ARG003
        """Refuse: no configuration asks for one.

        Raises:
            PluginDisabled: Always.
        """
        raise PluginDisabled(f"{name} cannot be configured to be disabled")

    def _refuse(self) -> Never:
        raise PluginDisabled(f"{self.kind}/{self.name}: {self.reason}")

    async def check(self) -> Check:
        """Refuse, as all that follow."""
        self._refuse()

    async def list_templates(self) -> Listing[BaseTemplate]:
        """Refuse."""
        self._refuse()

    async def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:  # noqa: ARG002
        """Refuse."""
        self._refuse()

    async def reset(
        self,
        realm: str,  # noqa: ARG002
        template: str,  # noqa: ARG002
        session: StartOrder | None = None,  # noqa: ARG002
        *,
        progress: Progress | None = None,  # noqa: ARG002
    ) -> BaseInstance:
        """Refuse."""
        self._refuse()

    async def start_dynamic_instance(
        self,
        realm: str,  # noqa: ARG002
        template: str,  # noqa: ARG002
        session_id: str,  # noqa: ARG002
        order: StartOrder,  # noqa: ARG002
    ) -> BaseInstance:
        """Refuse."""
        self._refuse()

    async def stop_dynamic_instance(self, session_id: str) -> None:  # noqa: ARG002
        """Refuse."""
        self._refuse()
