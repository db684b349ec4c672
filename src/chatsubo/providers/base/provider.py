"""The contract between the platform and a hypervisor."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from chatsubo.config import ProviderConfig
from chatsubo.domain.text import Text
from chatsubo.providers.base.instance import BaseInstance
from chatsubo.providers.base.order import Progress, StartOrder
from chatsubo.providers.base.template import BaseTemplate
from chatsubo.providers.exc import Misconfigured

Item_co = TypeVar("Item_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something on the hypervisor that cannot be used, or not wholly.

    Attributes:
        name: What it is called there.
        reason: Why, in words for organisers. Never a value that may be secret.
    """

    name: str
    reason: Text


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item_co]):
    """What a hypervisor shows now: one bad note is reported with its reason, never raised, never lost.

    Attributes:
        items: What can be used.
        rejected: What cannot, and why.
    """

    items: Sequence[Item_co]
    rejected: Sequence[Rejected] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found.

    Attributes:
        ok: Whether it is as it should be.
        text: What was looked at and what was seen, in words for organisers.
        remedy: What to do about it, when it is not.
    """

    ok: bool
    text: Text
    remedy: Text | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """What a provider's configuration may do, as proven by asking the hypervisor.

    Attributes:
        reachable: Whether the hypervisor answered.
        is_dynamic: Whether instances can be started on demand.
        findings: Everything that was looked at, for ``chatsubo doctor``.
    """

    reachable: bool
    is_dynamic: bool
    findings: Sequence[Finding] = ()


class BaseProvider(ABC):
    """A configured connection to one hypervisor or container engine.

    Subclass it in ``provider.py`` of a folder whose name is the kind. Methods are ``async def``, or plain ``def``:
    these run in a few threads of the provider's own. The platform gives each call a time limit, may cancel it, and may
    call any of them again after a crash at any point. Every method raises only
    :class:`chatsubo.providers.exc.ProviderError` and its subclasses.

    Attributes:
        kind: Which plugin; the key below ``providers:`` in the configuration.
        is_dynamic: Whether it can start an instance on demand.
        Config: The model of its configuration.
        allowed_beyond_demo: ``False`` for a plugin that only a demo should use, unless the configuration insists.
        name: The provider's unique name.
        realms: The realms that it serves.
        flag_prefix: What its dynamic flags begin with.
        max_concurrent_starts: How many starts and resets may be under way at once.
        start_timeout: How long a start may take, in seconds.
    """

    kind: ClassVar[str] = ""
    is_dynamic: bool = False
    Config: ClassVar[type[ProviderConfig]] = ProviderConfig
    allowed_beyond_demo: ClassVar[bool] = True

    name: str = ""
    flag_prefix: str = "FLAG"
    max_concurrent_starts: int = 4
    start_timeout: float = 600.0

    def __init__(self, realms: Sequence[str], vpn_providers: Any = (), kind: str = "") -> None:
        """Keep the realms. The constructor does no input or output: :meth:`check` does."""
        self.realms = list(realms)
        self.vpn_providers = vpn_providers
        if kind and kind != self.kind:
            raise Misconfigured(f"a {self.kind} provider cannot be of the kind {kind}")

    @classmethod
    @abstractmethod
    def from_config(cls, name: str, raw_conf: Any, vpns: Any) -> Self:
        """Return the provider that the configuration describes. No input or output.

        Args:
            name: The provider's unique name.
            raw_conf: An instance of :attr:`Config`.
            vpns: The gates of its realms.
        """

    @property
    def requests_sent(self) -> int | None:
        """How many requests were sent to the hypervisor so far; ``None`` for a plugin that does not count them."""
        return None

    def list_realms(self) -> list[str]:
        """Return the realms that it serves."""
        return list(self.realms)

    @abstractmethod
    async def check(self) -> Check:
        """Ask the hypervisor whether it can be reached and what our rights allow.

        Called at start, by ``chatsubo doctor`` and when a provider that was away comes back. Does not raise when the
        hypervisor is away: that is a finding.
        """

    async def aclose(self) -> None:
        """Free connections and threads. Called once, at the end; what runs on the hypervisor goes on running."""

    def forget(self) -> None:
        """Ask for everything anew at the next listing, where listings are served from what is remembered.

        Called when somebody wants to see a change now. Cheap, never raises, no input or output.
        """

    @abstractmethod
    async def list_templates(self) -> Listing[BaseTemplate]:
        """Return the templates that boxes can be made from.

        Called in the background every few seconds: few requests, no building.

        Raises:
            BackendConnectionException, AccessRefused, TimedOut: As the hypervisor answers.
        """

    @abstractmethod
    async def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:
        """Return the instances that exist, running or not, of sessions and classic ones, also those that another
        process of ours made; only those of ``realm`` where one is given.

        Called in the background every few seconds. What it shows of sessions that ended is stopped after a while.

        Raises:
            BackendConnectionException, AccessRefused, TimedOut: As the hypervisor answers.
        """  # noqa: D205  the sentence does not fit one line

    @abstractmethod
    async def reset(
        self, realm: str, template: str, session: StartOrder | None = None, *, progress: Progress | None = None
    ) -> BaseInstance:
        """Bring an instance back to its initial state, and return it as it is then.

        Args:
            realm: The realm of the instance.
            template: The template that it comes from.
            session: For a dynamic instance the order that it was started with, of the next generation: the same
                values, credentials and address come back. ``None`` resets the classic instance of the template.
            progress: Where to tell how the reset of a classic instance goes; an order has its own.

        Raises:
            InstanceNotFound: If there is no such classic instance. (A dynamic one that is gone is made anew.)
            ProviderError: As for a start.
        """

    async def start_dynamic_instance(
        self, realm: str, template: str, session_id: str, order: StartOrder
    ) -> BaseInstance:
        """Start an own instance for a session, wait until it is ready, and return it.

        Idempotent for one session and generation: what is found of it is adopted, what is half made is finished or
        made anew. When it fails or is cancelled, nothing is left behind.

        Args:
            realm: The realm to start it in.
            template: The template to make it from.
            session_id: The session's UUID4; the same as ``order.id``.
            order: The values, the limits, the deadline.

        Raises:
            TemplateNotFound, BuildFailed, Misconfigured, NotReady: As they say.
            NoCapacity: If no memory, address or place is left.
            TimedOut: If the deadline passed.
            BackendConnectionException, AccessRefused, Locked: As the hypervisor answers.
        """
        raise Misconfigured(f"{self.kind} starts no instances on demand")

    async def stop_dynamic_instance(self, session_id: str) -> None:
        """Remove a session's instance and all that was made for it. What is gone already is a success.

        Raises:
            BackendConnectionException, AccessRefused, Locked, TimedOut: As the hypervisor answers.
        """
        raise Misconfigured(f"{self.kind} starts no instances on demand")

    def to_json(self, with_vpns: bool = True) -> dict[str, Any]:
        """Return what identifies the provider, as plain values; no secret is in it."""
        data: dict[str, Any] = {
            "kind": self.kind,
            "name": self.name,
            "realms": self.list_realms(),
            "is_dynamic": self.is_dynamic,
        }
        if with_vpns:
            data["vpns"] = [getattr(gate, "realm", str(gate)) for gate in self.vpn_providers]
        return data
