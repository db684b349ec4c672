"""Providers that tell something wrong of themselves or of what is there."""

from dataclasses import replace

from chatsubo.domain.text import Text
from chatsubo.providers.base import BaseInstance, BaseTemplate, Finding, Listing
from chatsubo.testing.hypervisor import FakeTemplate
from tests.kit.fakes import ClassicFakeKit, KitFake
from tests.kit.wrongs import fails


@fails("it_says_that_it_can_be_reached")
class TellsNoFindings(KitFake):
    async def check(self):
        check = await super().check()
        return replace(check, findings=()) if check.reachable else check


@fails("it_can_do_what_it_says")
class DeniesThatItIsDynamic(KitFake):
    async def check(self):
        return replace(await super().check(), is_dynamic=False)


@fails("every_finding_says_something")
class TellsAnEmptyFinding(KitFake):
    async def check(self):
        check = await super().check()
        return replace(check, findings=(*check.findings, Finding(True, Text(" "))))


@fails("it_has_a_kind_a_name_and_realms")
class HasANewNameEachTime(KitFake):
    def __init__(self, hypervisor):
        super().__init__(hypervisor)
        self.name = f"fake-{id(self)}"


@fails("the_list_of_realms_is_a_list_of_the_callers")
class GivesItsRealmsAway(KitFake):
    def list_realms(self):
        return self.realms


@fails("it_tells_of_itself_in_plain_values")
class TellsObjects(KitFake):
    def to_json(self, with_vpns=True):
        return {**super().to_json(with_vpns), "client": object}


@fails("template_names_are_unique")
class ListsTemplatesTwice(KitFake):
    async def list_templates(self):
        listing = await super().list_templates()
        return Listing([*listing.items, *listing.items], listing.rejected)


@fails("templates_name_their_provider")
class NamesItsKindInsteadOfItsName(KitFake):
    def _template(self, spec):
        template = super()._template(spec)
        template.provider = self.to_json()
        return template


@fails("the_template_is_listed_with_flags_that_are_still_empty")
class FillsTheTemplatesFlags(KitFake):
    def _template(self, spec):
        return BaseTemplate(spec.name, self.name, spec.labels_with({"FLAG0": "FLAG{x}"}), dynamic=True)


@fails("a_realm_that_nobody_serves_has_no_instances")
class InventsInstances(KitFake):
    async def list_instances(self, realm=None):
        if realm not in {None, *self.realms}:
            return Listing([BaseInstance("x", "x", str(realm), "hello", "10.0.0.1")])
        return await super().list_instances(realm)


@fails("a_listing_makes_nothing")
class StartsWhatItLists(KitFake):
    async def list_templates(self):
        for name in self.hypervisor.templates:
            self.hypervisor.plant(name, "wz01")
        return await super().list_templates()


@fails("listings_at_the_same_time_agree")
class ListsOneAtATime(KitFake):
    busy = False

    async def list_templates(self):
        if self.busy:
            return Listing([])
        self.busy = True
        try:
            return await super().list_templates()
        finally:
            self.busy = False


class Mangling(KitFake):
    """Reads labels in a way of its own."""

    def read(self, labels):
        return labels

    def _template(self, spec):
        labels = self.read(dict(spec.labels))
        return super()._template(FakeTemplate(spec.name, labels, spec.ports))


def ascii_only(text):
    return text.encode("ascii", "ignore").decode()


@fails("values_of_labels_are_kept_as_they_are")
class SplitsAtTheLastEqualsSign(Mangling):
    def read(self, labels):
        return {key: value.rpartition("=")[2] if ".flags." in key else value for key, value in labels.items()}


@fails("names_for_people_may_have_accents")
class KnowsAsciiOnly(Mangling):
    def read(self, labels):
        return {key: ascii_only(value) if key == "chatsubo.name" else value for key, value in labels.items()}


@fails("keys_of_labels_compare_without_case")
class ReadsLowerCaseKeysOnly(Mangling):
    def read(self, labels):
        return {key: value for key, value in labels.items() if key.islower()}


@fails("a_label_without_a_value_counts")
class PassesEmptyValuesOver(Mangling):
    def read(self, labels):
        return {key: value for key, value in labels.items() if value}


@fails("line_ends_of_windows_do_no_harm")
class SplitsLinesAtNewlinesOnly(Mangling):
    def read(self, labels):
        written_on_windows = any("\r\n" in value for value in labels.values())
        return {key: f"{value}\r" for key, value in labels.items()} if written_on_windows else labels

    def _template(self, spec):
        template = super()._template(spec)
        template.flags = tuple(
            replace(flag, value=f"{flag.value}\r") if template.labels.get("chatsubo.description") else flag
            for flag in template.flags
        )
        return template


@fails("a_thousand_labels_are_read")
class ReadsSomeLabels(Mangling):
    def read(self, labels):
        return dict(list(labels.items())[:256])


@fails("a_label_that_cannot_be_read_is_told_and_hides_nothing")
class SaysNothingOfBadLabels(KitFake):
    def _template(self, spec):
        template = super()._template(spec)
        template.metadata = replace(template.metadata, rejected=())
        return template


@fails("what_is_told_of_a_bad_label_does_not_repeat_its_value")
class RepeatsBadLabels(KitFake):
    def _template(self, spec):
        template = super()._template(spec)
        template.warnings = tuple(
            Text("bad label: {value}", {"value": template.labels.get(one.key)}) for one in template.metadata.rejected
        )
        return template


@fails("what_cannot_be_used_is_rejected_with_its_reason")
class LosesWhatItCannotUse(KitFake):
    def _rejected(self):
        return ()


@fails("what_cannot_be_used_hides_nothing_else")
class ListsNothingBesidesTrouble(KitFake):
    async def list_templates(self):
        listing = await super().list_templates()
        return Listing([], listing.rejected) if listing.rejected else listing


@fails("a_machine_without_labels_is_no_box", kit=ClassicFakeKit)
class ListsEveryMachine(KitFake):
    def is_box(self, template):
        return True
