"""Classic machines: one for all players, made by an operator, found and reset by the platform."""

import asyncio

from chatsubo.providers.exc import InstanceNotFound
from chatsubo.testing.kit.asking import asks
from chatsubo.testing.kit.expecting import raised
from chatsubo.testing.kit.ground import STRANGE, Ground


class Shared(Ground):
    """Checks of listings and ``reset`` without an order."""

    @asks("classic", "classic_machine")
    async def test_a_classic_machine_is_listed_without_being_started(self) -> None:
        """It belongs to no session."""
        found = await self.classic_machine()
        assert (found.session, found.generation) == (None, 0), "it is listed as a session's"
        assert found.realm == self.realm, f"it is listed in the realm {found.realm}"
        assert found.address or found.endpoints, "nobody is told where it is"

    @asks("classic", "classic_machine")
    async def test_a_classic_machine_is_its_own_template(self) -> None:
        """A box can be registered from it, and nobody can start one of their own."""
        await self.classic_machine()
        assert not (await self.template_named(self.machine)).dynamic, "its template is listed as dynamic"

    @asks("classic", "plant_machine")
    async def test_a_classic_machine_tells_its_flags_and_creds(self) -> None:
        """As its labels say."""
        found = await self.classic_machine()
        flags = [(one.name, one.value, one.points) for one in found.flags]
        assert flags == [("root", "FLAG{planted}", 400)], "its flags are others"
        told = [(one.type, one.username, one.password) for one in found.creds]
        assert told == [("ssh", "level0", "planted password")], "its creds are others"

    @asks("classic", "classic_machine")
    async def test_a_classic_machine_is_listed_in_its_realm_only(self) -> None:
        """Players of another realm do not see it."""
        machine = await self.classic_machine()
        listing = await self.first.list_instances(STRANGE)
        assert machine.name not in {one.name for one in listing.items}, "it is listed in another realm"

    @asks("classic", "classic_machine", "may_reset", "spoil")
    async def test_a_classic_reset_brings_the_initial_state_back(self) -> None:
        """What players broke is whole again, and it runs."""
        machine = await self.classic_machine()
        await self.spoil(machine)
        assert await self.is_spoiled(machine), "spoil() changed nothing: mend the kit's subclass"
        after = await self.first.reset(self.realm, self.machine)
        assert not await self.is_spoiled(after), "what was changed is still changed"

    @asks("classic", "classic_machine", "may_reset")
    async def test_a_classic_reset_returns_the_machine_where_it_was(self) -> None:
        """Same name, address, realm; it runs."""
        before = await self.classic_machine()
        after = await self.first.reset(self.realm, self.machine)
        assert (after.name, after.address, after.realm) == (before.name, before.address, before.realm), "it has moved"
        assert after.running, "it does not run after the reset"
        assert (await self.found_machine()).running, "it is listed as not running after the reset"

    @asks("classic", "classic_machine", "may_reset", "halt")
    async def test_a_classic_machine_that_is_off_is_listed_and_a_reset_brings_it_up(self) -> None:
        """Somebody switched it off: players are told, and a reset mends it."""
        machine = await self.classic_machine()
        await self.halt(machine)
        assert not (await self.found_machine()).running, "it is listed as running"
        await self.first.reset(self.realm, self.machine)
        assert (await self.found_machine()).running, "it is still off"

    @asks("classic", "plant_machine")
    async def test_a_classic_machine_of_a_realm_that_it_does_not_serve_is_left_alone(self) -> None:
        """It is another provider's: it is not listed, whichever realm is asked for, and not reset."""
        await self.plant_machine("kit-elsewhere", {**self.machine_labels("kit-elsewhere"), "chatsubo.realm": STRANGE})
        for realm in (None, self.realm, STRANGE):
            listed = [one.template for one in (await self.first.list_instances(realm)).items]
            assert "kit-elsewhere" not in listed, f"it is listed when asked for {realm or 'all realms'}"
        assert "kit-elsewhere" not in {one.name for one in (await self.first.list_templates()).items}, (
            "it is a template"
        )
        await raised(self.first.reset(STRANGE, "kit-elsewhere"), InstanceNotFound)

    @asks("classic", "classic_machine")
    async def test_a_classic_reset_in_another_realm_finds_nothing(self) -> None:
        """And resets nothing."""
        await self.classic_machine()
        await raised(self.first.reset(STRANGE, self.machine), InstanceNotFound)

    @asks("classic", "plant_machine", "spoil")
    async def test_a_classic_reset_touches_no_other_machine(self) -> None:
        """A machine of another template stays as it is."""
        stays = await self.classic_machine()
        await self.plant_machine("kit-other", {**self.machine_labels("kit-other"), "chatsubo.address": "10.66.0.8"})
        await self.spoil(stays)
        await self.first.reset(self.realm, "kit-other")
        assert await self.is_spoiled(await self.found_machine()), "another machine was reset too"

    @asks("classic", "classic_machine", "may_reset")
    async def test_two_classic_resets_at_once_leave_one_machine(self) -> None:
        """Two organisers press the button at once: one may be told that it is busy; the machine is there and runs."""
        await self.classic_machine()
        resets = (self.first.reset(self.realm, self.machine) for _ in range(2))
        results = await asyncio.gather(*resets, return_exceptions=True)
        assert any(not isinstance(one, BaseException) for one in results), f"both failed: {results[0]!r}"
        items = (await self.first.list_instances(self.realm)).items
        found = [one.running for one in items if one.template == self.machine]
        assert found == [True], f"{len(found)} machines, running: {found}"
