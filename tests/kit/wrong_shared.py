"""Providers that get classic machines wrong."""

from chatsubo.providers.exc import BackendConnectionException, Locked
from chatsubo.testing.hypervisor import classic_place
from chatsubo.testing.kit.ground import STRANGE
from tests.kit.fakes import ClassicFakeKit, KitFake
from tests.kit.wrong_acts import Altered
from tests.kit.wrongs import fails


def classic(check, *besides):
    return fails(check, *besides, kit=ClassicFakeKit)


class Resetting(KitFake):
    """Does something with the machine around its reset."""

    def there(self, realm, template):
        return self.hypervisor.machines.get(classic_place(template, realm))

    async def reset(self, realm, template, session=None, *, progress=None):
        before = self.there(realm, template)
        instance = await super().reset(realm, template, session, progress=progress)
        self.around(before, self.there(realm, template))
        return instance

    def around(self, before, after):
        pass


@classic("a_classic_machine_is_listed_without_being_started")
class GivesItAGeneration(Altered):
    def in_listing(self, instance):
        instance.generation = 1


@classic("a_classic_machine_is_its_own_template")
class SaysItCanBeStarted(KitFake):
    def _template(self, spec):
        template = super()._template(spec)
        template.dynamic = True
        return template


@classic("a_classic_machine_tells_its_flags_and_creds")
class HidesCreds(Altered):
    def in_listing(self, instance):
        instance.creds = ()


@classic("a_classic_machine_is_listed_in_its_realm_only")
class ListsItEverywhere(KitFake):
    async def list_instances(self, realm=None):
        return await super().list_instances()


@classic("a_classic_reset_brings_the_initial_state_back")
class RestartsOnly(Resetting):
    def around(self, before, after):
        after.disk = before.disk


@classic("a_classic_reset_returns_the_machine_where_it_was")
class TellsAnotherAddress(Altered):
    def after_reset(self, instance):
        instance.address = "10.0.0.1"


@classic("a_classic_machine_that_is_off_is_listed_and_a_reset_brings_it_up")
class LeavesItOff(Resetting):
    def around(self, before, after):
        after.ready = before.ready


@classic("a_classic_machine_of_a_realm_that_it_does_not_serve_is_left_alone")
class ServesWhatItWasNotGiven(KitFake):
    def __init__(self, hypervisor):
        super().__init__(hypervisor)
        self.realms = [*self.realms, STRANGE]


@classic("a_classic_reset_in_another_realm_finds_nothing")
class TakesAnyRealm(KitFake):
    async def reset(self, realm, template, session=None, *, progress=None):
        return await super().reset(self.realms[0], template, session, progress=progress)


@classic("a_classic_reset_touches_no_other_machine")
class ResetsThemAll(Resetting):
    def around(self, before, after):
        for machine in self.hypervisor.machines.values():
            machine.disk.clear()


@classic("two_classic_resets_at_once_leave_one_machine")
class LosesItBetweenTwo(KitFake):
    async def reset(self, realm, template, session=None, *, progress=None):
        if template in self.hypervisor.seen:
            self.hypervisor.machines.pop(classic_place(template, realm), None)
            raise Locked("another reset is under way")
        self.hypervisor.seen.add(template)
        try:
            return await super().reset(realm, template, session, progress=progress)
        finally:
            self.hypervisor.seen.discard(template)


@classic("a_classic_reset_on_a_hypervisor_that_is_away_says_so")
class AnnouncesWhatItCannotDo(KitFake):
    async def reset(self, realm, template, session=None, *, progress=None):
        try:
            return await super().reset(realm, template, session, progress=progress)
        except BackendConnectionException:
            return None
