"""Labels: odd ones, many, in any script, and such that cannot be read."""

import time
from collections.abc import Mapping

from chatsubo.providers.base import BaseTemplate
from chatsubo.testing.kit.asking import asks
from chatsubo.testing.kit.ground import Ground

ODD = """FLAG{c'est="l'été" = à 100 %}"""
QUICKLY = 20.0
"""Seconds that listing a thousand labels may take, on a slow hypervisor too."""


class Labels(Ground):
    """Checks of templates and machines that the kit plants, in each way that the subclass gives."""

    async def planted(self, name: str, labels: Mapping[str, str]) -> list[str]:
        """Plant a template, a classic machine, or both with these labels, and return their templates' names."""
        names = []
        if self.can("plant_template"):
            names.append(f"kit-{name}")
            await self.plant_template(names[-1], {"chatsubo.template": names[-1], **labels})
        if self.can("plant_machine"):
            names.append(f"kit-classic-{name}")
            base = self.machine_labels(names[-1])
            kept = {key: value for key, value in base.items() if ".flags." not in key and ".creds." not in key}
            await self.plant_machine(names[-1], {**kept, **labels})
        return names

    async def read_back(self, name: str, labels: Mapping[str, str]) -> list[BaseTemplate]:
        """Plant, and return the templates as they are listed."""
        return [await self.template_named(one) for one in await self.planted(name, labels)]

    def can(self, hook: str) -> bool:
        """Return whether the subclass gives the hook ``hook``."""
        return getattr(type(self), hook) is not getattr(Ground, hook) and hook not in self.waived

    @asks("planting")
    async def test_values_of_labels_are_kept_as_they_are(self) -> None:
        """Accents, quotes, spaces, percent and equals signs; capitals."""
        labels = {"chatsubo.flags.first.value": ODD, "chatsubo.flags.first.points": "50"}
        for template in await self.read_back("odd", labels):
            assert [flag.value for flag in template.flags] == [ODD], f"{template.name}: the value has changed"

    @asks("planting")
    async def test_names_for_people_may_have_accents(self) -> None:
        """The label that prefills a box's name."""
        for template in await self.read_back("accents", {"chatsubo.name": "L'Évasion à l'aube, 夜明け"}):
            assert template.metadata.name == "L'Évasion à l'aube, 夜明け", f"it reads {template.metadata.name!r}"

    @asks("planting")
    async def test_keys_of_labels_compare_without_case(self) -> None:
        """As the founding document's plugins read them."""
        labels = {"Chatsubo.FLAGS.First.Value": "FLAG{x}", "CHATSUBO.flags.first.Points": "50"}
        for template in await self.read_back("case", labels):
            assert [flag.name for flag in template.flags] == ["first"], f"{template.name}: the flag is not found"

    @asks("planting")
    async def test_a_label_without_a_value_counts(self) -> None:
        """It prefills a flag whose value is made at each start."""
        labels = {"chatsubo.flags.first.value": "", "chatsubo.flags.first.points": "50"}
        for template in await self.read_back("empty", labels):
            assert [(flag.name, flag.value) for flag in template.flags] == [("first", "")], "the flag is not found"

    @asks("planting")
    async def test_line_ends_of_windows_do_no_harm(self) -> None:
        """Notes that were written in a browser have them."""
        labels = {
            "chatsubo.description": "One line.\r\nAnother.",
            "chatsubo.flags.first.value": "FLAG{x}",
            "chatsubo.flags.first.points": "50",
        }
        for template in await self.read_back("lines", labels):
            assert [(one.value, one.points) for one in template.flags] == [("FLAG{x}", 50)], "the flag is not found"

    @asks("planting")
    async def test_a_thousand_labels_are_read(self) -> None:
        """Five hundred flags, soon."""
        labels: dict[str, str] = {}
        for number in range(500):
            labels[f"chatsubo.flags.f{number}.value"] = f"FLAG{{{number}}}"
            labels[f"chatsubo.flags.f{number}.points"] = "1"
        names = await self.planted("many", labels)
        began = time.monotonic()
        found = [await self.template_named(name) for name in names]
        took = time.monotonic() - began
        assert all(len(one.flags) == 500 for one in found), f"{[len(one.flags) for one in found]} flags of 500"  # noqa: PLR2004
        assert took < QUICKLY, f"it took {took:.0f} s"

    @asks("planting")
    async def test_a_label_that_cannot_be_read_is_told_and_hides_nothing(self) -> None:
        """It is reported, never raised; whatever else is there is listed."""
        bad = await self.planted("bad", {"chatsubo.difficulty": "eleven", "chatsubo.duration": "60"})
        good = await self.planted("good", {"chatsubo.difficulty": "5"})
        listing = await self.first.list_templates()
        listed = {one.name: one for one in listing.items}
        assert set(good) <= set(listed), "a template without fault is not listed"
        told = " ".join(f"{one.name} {one.reason}" for one in listing.rejected)
        for name in bad:
            reported = listed[name].metadata.rejected or listed[name].warnings if name in listed else ()
            assert reported or name in told, f"nobody is told of the bad label of {name}"

    @asks("planting")
    async def test_what_is_told_of_a_bad_label_does_not_repeat_its_value(self) -> None:
        """Somebody swapped a flag's value and its points: the flag is a secret still."""
        secret = "FLAG{swapped-by-mistake}"  # noqa: S105  it stands for one
        names = await self.planted("swapped", {"chatsubo.flags.a.value": "50", "chatsubo.flags.a.points": secret})
        listing = await self.first.list_templates()
        told = [str(one.reason) for one in (*listing.rejected, *(await self.first.list_instances()).rejected)]
        for one in listing.items:
            if one.name in names:
                told += [str(bad.reason) for bad in one.metadata.rejected] + list(map(str, one.warnings))
        assert secret not in " ".join(told), "a reason repeats the label's value"

    @asks("plant_unusable")
    async def test_what_cannot_be_used_is_rejected_with_its_reason(self) -> None:
        """By the name that it has on the hypervisor; the listing goes on."""
        name = await self.plant_unusable()
        templates, instances = await self.first.list_templates(), await self.first.list_instances()
        rejected = {one.name: str(one.reason) for one in (*templates.rejected, *instances.rejected)}
        assert name in rejected, f"{name} is not among what was rejected: {sorted(rejected)}"
        assert rejected[name].strip(), "no reason is given"

    @asks("plant_unusable")
    async def test_what_cannot_be_used_hides_nothing_else(self) -> None:
        """Everything that was listed before still is."""
        before = {one.name for one in (await self.first.list_templates()).items}
        await self.plant_unusable()
        after = {one.name for one in (await self.first.list_templates()).items}
        assert before <= after, f"no longer listed: {sorted(before - after)}"

    @asks("classic", "plant_machine")
    async def test_a_machine_without_labels_is_no_box(self) -> None:
        """Other people's machines on the same hypervisor are left alone."""
        await self.plant_machine("kit-stranger", {})
        shown = [one.name for one in (await self.first.list_templates()).items]
        shown += [one.name for one in (await self.first.list_instances()).items]
        assert not [name for name in shown if "kit-stranger" in name], "it is listed"
