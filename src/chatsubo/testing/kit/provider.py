"""The conformance kit for plugins."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
import pytest_asyncio

from chatsubo.providers.base import BaseProvider
from chatsubo.providers.threads import with_plain_methods
from chatsubo.testing.kit.asking import ABILITIES, Asked, Check, checks_of, decide, needs_of, put
from chatsubo.testing.kit.clocks import Clocks
from chatsubo.testing.kit.crowds import Crowds
from chatsubo.testing.kit.ground import Ground
from chatsubo.testing.kit.leaving import Leaving
from chatsubo.testing.kit.metadata import Labels
from chatsubo.testing.kit.resetting import Resetting
from chatsubo.testing.kit.results import KIT
from chatsubo.testing.kit.secrecy import Secrecy
from chatsubo.testing.kit.shared import Shared
from chatsubo.testing.kit.starting import Starting
from chatsubo.testing.kit.stopping import Stopping
from chatsubo.testing.kit.telling import Telling
from chatsubo.testing.kit.weather import Weather


class ProviderKit(
    Telling, Labels, Starting, Stopping, Resetting, Shared, Leaving, Crowds, Weather, Secrecy, Clocks
):  # fmt: skip
    """Proves a plugin: subclass it in a ``test_*.py`` under a name that begins with ``Test``, and run pytest.

    Three fixtures to give, plain or asynchronous:

    - ``hypervisor``: whatever your hooks work with; it is theirs as ``self.backend``. Put there what the checks
      start: for a dynamic provider the template :attr:`template` in :attr:`realm`, with a flag ``user`` from
      ``FLAG0``, a flag ``root`` from ``FLAG1``, and creds ``ssh`` whose password is from ``RNG0`` (or say otherwise
      in :attr:`flags` and :attr:`creds`). Remove at its end what the hooks have planted.
    - ``provider``: a provider of yours.
    - ``other``: another provider object with the same name for the same hypervisor, as a restarted platform makes it.

    Say in :attr:`abilities` what the provider can do: checks of what it cannot are not run. Give the hooks that your
    hypervisor allows; see :class:`chatsubo.testing.kit.ground.Ground`. A check whose hook is missing is skipped with a
    reason, unless :attr:`waived` says why there cannot be one. A plugin may be asked under several classes, one for
    each way it can be configured::

        class TestRack(ProviderKit):
            abilities = frozenset({"classic"})

            @pytest.fixture
            def hypervisor(self, tmp_path): ...

            @pytest.fixture
            def provider(self, hypervisor): ...

            @pytest.fixture
            def other(self, hypervisor): ...

            async def plant_machine(self, name, labels): ...

    For a hypervisor behind an HTTP API, :class:`chatsubo.testing.kit.Proxy` stands between it and the provider, and
    :class:`chatsubo.testing.kit.Proxied` gives all hooks of its weather from it.
    """

    pytestmark: ClassVar[list[pytest.MarkDecorator]] = [pytest.mark.asyncio]

    def __init_subclass__(cls, **options: Any) -> None:
        """Put to the plugin what it can be asked."""
        super().__init_subclass__(**options)
        if unknown := cls.known_failures.keys() - cls.checks().keys():
            raise TypeError(f"{cls.__name__}: there is no check {', '.join(sorted(unknown))}")
        for name, check in cls.checks().items():
            if name not in vars(cls):
                put(cls, check, cls.asked(name))

    @classmethod
    def checks(cls) -> dict[str, Check]:
        """Return all checks there are, by name."""
        return checks_of(ProviderKit)

    @classmethod
    def asked(cls, name: str) -> Asked:
        """Return whether the check ``name`` is put to the plugin, and why not."""
        return decide(cls, name, needs_of(cls.checks()[name]), cls.lacks)

    @classmethod
    def lacks(cls, need: str) -> bool:
        """Return whether an ability of the provider or a hook of the kit is missing."""
        if need in ABILITIES:
            return need not in cls.abilities
        if need == "planting":
            return cls.lacks("plant_template") and cls.lacks("plant_machine")
        if need == "classic_machine" and getattr(cls, need) is Ground.classic_machine:
            return cls.lacks("plant_machine")
        if need in {"secrets", "may_reset"}:
            return not getattr(cls, need)
        return need in cls.waived or getattr(cls, need) is getattr(Ground, need)

    @pytest.fixture
    def hypervisor(self) -> Any:
        """Return nothing: a subclass whose hooks need something gives it."""
        return None

    @pytest_asyncio.fixture(autouse=True)
    async def _ground(
        self, request: pytest.FixtureRequest, hypervisor: Any, provider: BaseProvider, other: BaseProvider
    ) -> AsyncIterator[None]:
        if request.function.__name__ in self.checks():
            request.node.user_properties.append((KIT, type(self).__name__))
        self.backend = hypervisor
        self.first = with_plain_methods(provider)
        self.second = with_plain_methods(other)
        self.sessions = []
        yield
        await self.clean()
