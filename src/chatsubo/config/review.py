"""What is allowed in a configuration but probably not meant."""

from collections.abc import Sequence

from chatsubo.config.models import DisabledEntry, Gate, ProviderEntry, Server
from chatsubo.domain.text import N_, Text


def review(
    providers: Sequence[ProviderEntry], disabled: Sequence[DisabledEntry], vpns: Sequence[Gate], server: Server
) -> list[Text]:
    """Return warnings about a configuration that can be used.

    Args:
        providers: The providers.
        disabled: Those whose plugin is disabled.
        vpns: The gates.
        server: How the platform listens.
    """
    warnings = [
        Text(
            N_("{path} is disabled, since its plugin is: {reason}"),
            {"path": f"providers.{one.kind}.{one.name}", "reason": one.reason},
        )
        for one in disabled
    ]
    served = {realm for provider in providers for realm in provider.realms}
    served |= {realm for provider in disabled for realm in provider.realms}
    seen: set[tuple[str, str]] = set()
    for index, gate in enumerate(vpns):
        path = f"vpns.{index}"
        if gate.realm not in served:
            unserved = N_("{path}: no provider serves the realm {realm}")
            warnings.append(Text(unserved, {"path": path, "realm": gate.realm}))
        if (gate.realm, gate.url) in seen:
            twice = N_("{path}: the gate {url} is listed twice for the realm {realm}")
            warnings.append(Text(twice, {"path": path, "url": gate.url, "realm": gate.realm}))
        seen.add((gate.realm, gate.url))
    if not server.secure and not server.allow_insecure_http:
        unnamed = N_("server.url is missing: give the https URL that players type, or allow_insecure_http: true")
        warnings.append(Text(unnamed))
    return warnings
