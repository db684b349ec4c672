"""What the parts of this plugin share."""

from dataclasses import dataclass

from chatsubo.providers.pve.client import Client
from chatsubo.providers.pve.config import PveConfig
from chatsubo.providers.pve.guests import Guests
from chatsubo.providers.pve.survey import Survey
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

    @classmethod
    def of(cls, client: Client, provider: str, config: PveConfig) -> "Cluster":
        """Return the view that a provider has over its connection. No input or output."""
        guests = Guests(client, config.nodes)
        survey = Survey(guests, config.tag, config.dynamic.vmids if config.dynamic else None)
        return cls(provider, config, guests, survey, Tasks(client))
