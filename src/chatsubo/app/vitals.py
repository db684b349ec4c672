"""How the parts of a running platform are."""

from chatsubo.lab import Lab
from chatsubo.store.database import Database
from chatsubo.store.listings import all_listings
from chatsubo.store.sessions import count_states
from chatsubo.web.health import Part, Vitals


async def vitals(db: Database, lab: Lab) -> Vitals:
    """Look at the database and the lab. A provider that is away does not make the platform unready.

    Raises:
        Unavailable: If the database does not answer.
    """
    async with db.read() as tx:
        states = await count_states(tx)
        listings = await all_listings(tx)
    wrong = lab.health()
    parts = {"database": Part(ok=True), "lab": Part(ok=not wrong, detail="; ".join(wrong.values()))}
    return Vitals(parts, states, {listing.provider: listing.problem is None for listing in listings})
