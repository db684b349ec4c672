"""What a provider tells of itself and of what is there."""

import asyncio
import json

from chatsubo.testing.kit.asking import asks
from chatsubo.testing.kit.ground import STRANGE, Ground


class Telling(Ground):
    """Checks of ``check``, ``list_templates``, ``list_instances``, ``list_realms`` and ``to_json``."""

    @asks()
    async def test_it_says_that_it_can_be_reached(self) -> None:
        """``check()`` answers for a hypervisor that works, and tells what it looked at."""
        check = await self.first.check()
        assert check.reachable, "; ".join(str(finding.text) for finding in check.findings)
        assert check.findings, "it tells nothing of what it looked at"

    @asks()
    async def test_it_can_do_what_it_says(self) -> None:
        """What ``check()`` says of starts on demand is what the kit's subclass says."""
        check = await self.first.check()
        assert check.is_dynamic == ("dynamic" in self.abilities), f"check() says is_dynamic={check.is_dynamic}"

    @asks()
    async def test_every_finding_says_something(self) -> None:
        """A finding without a text helps nobody."""
        check = await self.first.check()
        for finding in check.findings:
            assert str(finding.text).strip(), "a finding says nothing"

    @asks()
    async def test_it_has_a_kind_a_name_and_realms(self) -> None:
        """The platform finds providers by kind and name, and machines by realm."""
        assert self.first.kind, "it has no kind"
        assert self.first.name, "it has no name: set it in the constructor"
        assert self.first.name == self.second.name, "two objects of one provider have different names"
        assert self.realm in self.first.list_realms(), f"it does not say that it serves {self.realm}"

    @asks()
    async def test_the_list_of_realms_is_a_list_of_the_callers(self) -> None:
        """A caller that changes the list changes nothing of the provider's."""
        self.first.list_realms().clear()
        assert self.first.list_realms(), "who changes the list of realms changes the provider"

    @asks()
    async def test_it_tells_of_itself_in_plain_values(self) -> None:
        """``to_json()`` can be written as JSON, with and without gates."""
        for told in (self.first.to_json(), self.first.to_json(with_vpns=False)):
            json.dumps(told)
            assert told["name"] == self.first.name, "to_json() tells another name"
            assert told["kind"] == self.first.kind, "to_json() tells another kind"

    @asks()
    async def test_template_names_are_unique(self) -> None:
        """A box names its template: two of one name could not be told apart."""
        names = [one.name for one in (await self.first.list_templates()).items]
        twice = {name for name in names if names.count(name) > 1}
        assert not twice, f"listed more than once: {', '.join(sorted(twice))}"

    @asks()
    async def test_templates_name_their_provider(self) -> None:
        """A template says which provider offers it."""
        for template in (await self.first.list_templates()).items:
            assert template.provider == self.first.name, f"{template.name} names the provider {template.provider!r}"

    @asks("dynamic")
    async def test_the_template_is_listed_with_flags_that_are_still_empty(self) -> None:
        """A dynamic template's flags have names and points, and no value before a start."""
        template = await self.template_named(self.template)
        assert template.dynamic, "the template is not listed as dynamic"
        if self.flags is not None:
            found = {flag.name: flag.value for flag in template.flags}
            assert found == dict.fromkeys(self.flags, ""), f"its flags are {found}"

    @asks()
    async def test_a_realm_that_nobody_serves_has_no_instances(self) -> None:
        """``list_instances`` of another realm is empty."""
        listing = await self.first.list_instances(STRANGE)
        assert not listing.items, f"it lists {[one.name for one in listing.items]}"

    @asks()
    async def test_a_listing_makes_nothing(self) -> None:
        """Listing templates and instances starts and stops nothing."""
        before = {one.id for one in (await self.second.list_instances()).items}
        for _ in range(3):
            await self.first.list_templates()
            await self.first.list_instances()
        after = {one.id for one in (await self.second.list_instances()).items}
        assert after == before, f"new: {after - before}, gone: {before - after}"

    @asks()
    async def test_listings_at_the_same_time_agree(self) -> None:
        """Ten listings at once give the same."""
        listings = await asyncio.gather(*(self.first.list_templates() for _ in range(10)))
        names = {tuple(sorted(one.name for one in listing.items)) for listing in listings}
        assert len(names) == 1, f"{len(names)} different answers"
