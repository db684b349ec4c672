"""Which provider a new session goes to."""

from collections.abc import Iterable, Mapping

from chatsubo.store.listings import ProviderListing


def place(
    listings: Iterable[ProviderListing], template: str, realm: str | None = None, load: Mapping[str, int] | None = None
) -> ProviderListing | None:
    """Return the provider that should start ``template``, or ``None`` if none can.

    Those that answer at the moment go first, then those with the fewest live sessions, then the order of their names.

    Args:
        listings: What the providers last showed.
        template: The template's name.
        realm: The realm to start it in, where the player chose one.
        load: Live sessions by provider, from :func:`chatsubo.store.sessions.count_live`.
    """
    able = [one for one in listings if can_start(one, template) and (realm is None or realm in one.realms)]
    held = load or {}
    order = sorted(able, key=lambda one: (one.problem is not None, held.get(one.provider, 0), one.provider))
    return order[0] if order else None


def realms_for(listings: Iterable[ProviderListing], template: str) -> tuple[str, ...]:
    """Return the realms in which ``template`` can be started, each once, in the order of their names."""
    return tuple(sorted({realm for one in listings if can_start(one, template) for realm in one.realms}))


def can_start(listing: ProviderListing, template: str) -> bool:
    """Say whether a provider offers ``template`` on demand, by what it last showed."""
    found = listing.template(template)
    return listing.is_dynamic and found is not None and found.dynamic
