"""The kit for a provider whose hypervisor is in use: nothing is put on it but sessions, nothing of it is broken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chatsubo.providers.base import BaseInstance, BaseProvider, Finding
from chatsubo.providers.exc import BackendConnectionException, Misconfigured
from chatsubo.providers.seedstyle import SeedStyleProvider
from chatsubo.testing.kit.asking import Asked
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

OLD_STYLE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "test_a_started_instance_is_listed_with_session_and_generation",
            "test_a_start_of_a_newer_generation_takes_the_place_of_the_older",
            "test_an_order_of_an_older_generation_disturbs_nothing",
            "test_a_reset_instance_is_listed_with_the_new_generation",
            "test_a_reset_that_is_repeated_resets_once",
            "test_a_reset_of_what_is_gone_makes_it_anew",
            "test_a_reset_of_an_older_generation_disturbs_nothing",
        ),
        "a plugin in the old style is told no generation, so its listing tells none to another process",
    ),
    "test_a_reset_keeps_address_flags_and_creds": "a plugin in the old style makes its flags itself, at each reset too",
}
"""The checks that no plugin in the old style can be asked, each with the reason."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody wants of a live check.

    Attributes:
        template: The dynamic template to start; the first one there is without.
        realm: The realm to start it in; the provider's first without.
        machine: The classic machine's template that may be reset; without it none is.
        crowd: How many sessions to start at once.
        only: A part of the names of the checks to make; all without.
    """

    template: str = ""
    realm: str = ""
    machine: str = ""
    crowd: int = 3
    only: str = ""


async def kit_for(provider: BaseProvider, wishes: Wishes) -> type["Live"]:
    """Return the kit for a live provider: what it can do is found out by asking it.

    Raises:
        Misconfigured: It does not have what is wished for.
        ProviderError: As the hypervisor answers.
    """
    if not any(wishes.only in name for name in ProviderKit.checks()):
        raise Misconfigured(f"no check has {wishes.only} in its name")
    check = await provider.check()
    if not check.reachable and (wrong := [one for one in check.findings if not one.ok]):
        raise BackendConnectionException("", "; ".join(map(said, wrong)))
    realms = provider.list_realms()
    realm = wishes.realm or realms[0]
    if realm not in realms:
        raise Misconfigured(f"it does not serve the realm {realm}; it serves {', '.join(realms)}")
    templates = (await provider.list_templates()).items
    dynamic = [one.name for one in templates if one.dynamic]
    instances = (await provider.list_instances()).items
    classic = [one for one in instances if one.session is None and one.realm == realm]
    if wishes.template and wishes.template not in dynamic:
        raise Misconfigured(f"there is no dynamic template {wishes.template}; {_it_has(dynamic)}")
    if wishes.machine and wishes.machine not in {one.template for one in classic}:
        others = _it_has(one.template for one in classic)
        raise Misconfigured(f"there is no classic machine of {wishes.machine} in the realm {realm}; {others}")
    waived = {name: reason for name, reason in WAIVED.items() if name != "classic_machine"}
    if not (check.is_dynamic and dynamic):
        waived["dynamic"] = "it has no template to start" if check.is_dynamic else "it starts nothing on demand"
    if not classic:
        waived["classic"] = f"there is no machine that players share in {realm}"
    if not wishes.machine:
        waived["may_reset"] = "it would reset a machine that players share: name one with --reset"
    abilities = {
        *(("dynamic",) if check.is_dynamic else ()),
        *(("classic",) if classic else ()),
    }
    return _made(
        findings=check.findings,
        spared=OLD_STYLE if isinstance(provider, SeedStyleProvider) else {},
        abilities=frozenset(abilities),
        waived=waived,
        realm=realm,
        template=wishes.template or next(iter(dynamic), ""),
        machine=wishes.machine or next((one.template for one in classic), ""),
        crowd=wishes.crowd,
        patience=provider.start_timeout,
        limit=provider.start_timeout * (2 + wishes.crowd),
    )


def said(finding: Finding) -> str:
    """Return what a check found, and what to do about it."""
    return f"{finding.text} → {finding.remedy}" if finding.remedy else str(finding.text)


def _it_has(names: Iterable[str]) -> str:
    return f"it has {', '.join(sorted(set(names))) or 'none'}"


def _made(**attributes: Any) -> "type[Live]":
    made: type[Live] = type("LiveKit", (Live,), attributes)
    return made


class Live(ProviderKit):
    """What all live kits share.

    Attributes:
        findings: What the provider's own check found.
        spared: Checks that are not made, each with the reason.
    """

    abilities = frozenset()
    waived: ClassVar[Mapping[str, str]] = WAIVED
    flags = None
    creds = None
    findings: ClassVar[Sequence[Finding]] = ()
    spared: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def asked(cls, name: str) -> Asked:
        """Return whether the check ``name`` is made, and why not."""
        if name in cls.spared:
            return Asked(name, "spared", cls.spared[name], waived=True)
        return super().asked(name)

    async def classic_machine(self) -> BaseInstance:
        """Return the classic machine that is there already."""
        return await self.found_machine()
