"""What providers offer at the moment, from their last listings."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.text import N_, Text
from chatsubo.lab.placement import can_start, realms_for
from chatsubo.store.boxes import Box
from chatsubo.store.listings import ListedInstance, ProviderListing, all_listings, listings_version

NOT_OFFERED = N_("No provider offers this box at the moment.")
STANDING_STILL = N_("The machine does not run at the moment.")


class Offers:
    """What all providers offer, for any box.

    Attributes:
        listings: The last listing of each provider.
    """

    def __init__(self, listings: Iterable[ProviderListing]) -> None:
        self.listings = tuple(listings)

    def realms(self, box: Box) -> tuple[str, ...]:
        """Return the realms in which the box can be had, by name."""
        if box.dynamic:
            return realms_for(self.listings, box.template)
        return tuple(sorted({instance.realm for _, instance in self.shared(box)}))

    def shared(self, box: Box) -> tuple[tuple[str, ListedInstance], ...]:
        """Return the machines of a box that all players share, each with its provider; none of one that is dynamic."""
        return tuple(
            (listing.provider, instance) for listing in self.listings for instance in shared_machines(listing, box)
        )

    def problem(self, box: Box) -> tuple[Text, datetime | None] | None:
        """Return why no machine of the box can be had now, and since when; ``None`` when one can."""
        offering = [listing for listing in self.listings if self._offers(listing, box)]
        if not offering:
            return Text(NOT_OFFERED), None
        well = [listing for listing in offering if listing.problem is None]
        if not well:
            return offering[0].problem or Text(NOT_OFFERED), offering[0].problem_since
        if not box.dynamic and not any(one.running for listing in well for one in shared_machines(listing, box)):
            return Text(STANDING_STILL), None
        return None

    def _offers(self, listing: ProviderListing, box: Box) -> bool:
        if box.dynamic:
            return can_start(listing, box.template)
        return bool(shared_machines(listing, box))


def shared_machines(listing: ProviderListing, box: Box) -> tuple[ListedInstance, ...]:
    """Return the machines of a box on one provider that all players share."""
    if box.dynamic:
        return ()
    return tuple(one for one in listing.instances if one.template == box.template and one.session is None)


class OffersReader:
    """Reads the listings, and decodes them again only when they have changed."""

    def __init__(self) -> None:
        self._version: tuple[object, ...] | None = None
        self._offers = Offers(())

    async def read(self, tx: AsyncConnection) -> Offers:
        """Return what the providers offer now."""
        version = await listings_version(tx)
        if version != self._version:
            self._offers = Offers(await all_listings(tx))
            self._version = version
        return self._offers
