"""Providers that reset in a wrong way."""

from chatsubo.providers.exc import Cancelled, InstanceNotFound, ProviderError
from tests.kit.fakes import KitFake
from tests.kit.wrong_acts import Altered, Eager
from tests.kit.wrongs import fails


@fails("a_reset_brings_the_initial_state_back")
class KeepsTheDisk(KitFake):
    async def reset(self, realm, template, session=None, *, progress=None):
        before = self.hypervisor.machines.get(session.id) if session else None
        instance = await super().reset(realm, template, session, progress=progress)
        if session and before:
            self.hypervisor.machines[session.id].disk = before.disk
        return instance


@fails("a_reset_keeps_address_flags_and_creds")
class MovesOnReset(Altered):
    def after_reset(self, instance):
        instance.address = "10.0.0.1"


@fails("a_reset_instance_is_listed_with_the_new_generation")
class ForgetsTheGeneration(Altered):
    async def reset(self, realm, template, session=None, *, progress=None):
        there = self.hypervisor.machines.get(session.id) if session else None
        if there and there.generation < session.generation:
            self.hypervisor.seen.add(session.id)
        return await super().reset(realm, template, session, progress=progress)

    def in_listing(self, instance):
        instance.generation -= instance.session in self.hypervisor.seen


@fails("a_reset_that_is_repeated_resets_once")
class ResetsTwice(Eager):
    async def before_reset(self, order, machine):
        if order and machine and machine.generation == order.generation:
            machine.disk.clear()


@fails("two_resets_at_once_leave_one_instance")
class ResetsTwoAtOnce(KitFake):
    async def reset(self, realm, template, session=None, *, progress=None):
        second = "reset" in self.hypervisor.seen
        self.hypervisor.seen.add("reset")
        instance = await super().reset(realm, template, session, progress=progress)
        self.hypervisor.seen.discard("reset")
        instance.id = f"{instance.id}{'-bis' if second else ''}"
        return instance


@fails("a_reset_of_what_is_gone_makes_it_anew")
class ResetsOnlyWhatIsThere(Eager):
    async def before_reset(self, order, machine):
        if order and machine is None:
            raise InstanceNotFound(order.id)


@fails("a_reset_of_an_older_generation_disturbs_nothing")
class RemovesTheNewerOnReset(Eager):
    async def before_reset(self, order, machine):
        if order and machine and machine.generation > order.generation:
            self.hypervisor.remove(order.id)
            raise Cancelled("it was newer")


@fails("a_reset_touches_no_other_session")
class SwitchesOthersOff(Eager):
    async def before_reset(self, order, machine):
        for other in self.hypervisor.machines.values():
            other.ready = other is machine and other.ready


@fails("a_reset_in_a_realm_that_it_does_not_serve_is_refused")
class ResetsWhateverTheRealm(KitFake):
    async def reset(self, realm, template, session=None, *, progress=None):
        return await super().reset(self.realms[0] if session else realm, template, session, progress=progress)


@fails("there_is_no_classic_instance_to_reset")
class ReportsAMissingMachineVaguely(KitFake):
    async def reset(self, realm, template, session=None, *, progress=None):
        try:
            return await super().reset(realm, template, session, progress=progress)
        except InstanceNotFound as error:
            raise ProviderError(error.detail) from None
