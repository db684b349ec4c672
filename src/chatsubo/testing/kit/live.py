"""The kit for a provider whose hypervisor is in use: nothing is put on it but sessions, nothing of it is broken."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from chatsubo.providers.base import BaseInstance, BaseProvider
from chatsubo.providers.exc import Misconfigured
from chatsubo.testing.kit.ground import HOOKS
from chatsubo.testing.kit.provider import ProviderKit

PLANTS = "it would put something on a hypervisor that is in use"
BREAKS = "it would need a hypervisor that can be taken away"
LOOKS = "it would look inside a machine"
SECRETS = "the plugin's own tests know what is secret"

WAIVED: Mapping[str, str] = {
    **dict.fromkeys(HOOKS, BREAKS),
    **dict.fromkeys(("plant_template", "plant_machine", "plant_unusable", "plant_broken", "planting"), PLANTS),
    **dict.fromkeys(("spoil", "is_spoiled"), LOOKS),
    "secrets": SECRETS,
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody wants of a live check.

    Attributes:
        template: The dynamic template to start; the first one there is without.
        realm: The realm to start it in; the provider's first without.
        machine: The classic machine's template that may be reset; without it none is.
        crowd: How many sessions to start at once.
    """

    template: str = ""
    realm: str = ""
    machine: str = ""
    crowd: int = 3


async def kit_for(provider: BaseProvider, wishes: Wishes) -> type[ProviderKit]:
    """Return the kit for a live provider: what it can do is found out by asking it.

    Raises:
        Misconfigured: It does not have what is wished for.
        ProviderError: As the hypervisor answers.
    """
    check = await provider.check()
    templates = (await provider.list_templates()).items
    realm = wishes.realm or provider.list_realms()[0]
    dynamic = [one.name for one in templates if one.dynamic]
    instances = (await provider.list_instances()).items
    classic = [one for one in instances if one.session is None and one.realm == realm]
    if wishes.template and wishes.template not in dynamic:
        raise Misconfigured(f"there is no dynamic template {wishes.template}")
    if wishes.machine and wishes.machine not in {one.template for one in classic}:
        raise Misconfigured(f"there is no classic machine of {wishes.machine} in the realm {realm}")
    waived = {name: reason for name, reason in WAIVED.items() if name != "classic_machine"}
    if check.is_dynamic and not dynamic:
        waived["dynamic"] = "it has no dynamic template to start"
    if not wishes.machine:
        waived["may_reset"] = "it would reset a machine that players share: name one with --reset"
    abilities = {
        *(("dynamic",) if check.is_dynamic else ()),
        *(("classic",) if classic else ()),
    }
    return _made(
        abilities=frozenset(abilities),
        waived=waived,
        realm=realm,
        template=wishes.template or next(iter(dynamic), ""),
        machine=wishes.machine or next((one.template for one in classic), ""),
        crowd=wishes.crowd,
        patience=provider.start_timeout,
        limit=provider.start_timeout * (2 + wishes.crowd),
    )


def _made(**attributes: Any) -> type[ProviderKit]:
    made: type[ProviderKit] = type("LiveKit", (Live,), attributes)
    return made


class Live(ProviderKit):
    """What all live kits share."""

    abilities = frozenset()
    waived: ClassVar[Mapping[str, str]] = WAIVED
    flags = None
    creds = None

    async def classic_machine(self) -> BaseInstance:
        """Return the classic machine that is there already."""
        return await self.found_machine()
