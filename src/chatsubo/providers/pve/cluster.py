"""What the parts of this plugin share."""

from collections.abc import Iterable
from dataclasses import dataclass

from chatsubo.providers.pve.catalogue import Catalogue, catalogue
from chatsubo.providers.pve.client import Client
from chatsubo.providers.pve.config import PveConfig
from chatsubo.providers.pve.guests import Guests
from chatsubo.providers.pve.survey import Seen, Survey
from chatsubo.providers.pve.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Cluster:
    """One provider's view of a cluster.

    Attributes:
        provider: The provider's name.
        config: Its configuration.
        guests: The guests, asked one by one.
        survey: What they say of themselves, remembered.
        tasks: The tasks that we began.
    """

    provider: str
    config: PveConfig
    guests: Guests
    survey: Survey
    tasks: Tasks

    def sort(self, seen: Iterable[Seen]) -> Catalogue:
        """Return what these guests are to the provider."""
        return catalogue(seen, self.provider, self.config)

    @classmethod
    def of(cls, client: Client, provider: str, config: PveConfig) -> "Cluster":
        """Return the view that a provider has over its connection. No input or output."""
        vmids = config.dynamic.vmids if config.dynamic else None
        guests = Guests(client, config.nodes, vmids)
        survey = Survey(guests, config.tag, vmids)
        return cls(provider, config, guests, survey, Tasks(client))
