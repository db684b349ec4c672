"""Providers that start, stop or reset in a wrong way."""

from dataclasses import replace

from chatsubo.providers.base import Endpoint, NoProgress
from chatsubo.providers.exc import BuildFailed, Cancelled, InstanceNotFound, Locked
from tests.kit.fakes import KitFake
from tests.kit.wrongs import fails


class Altered(KitFake):
    """Tells instances that are altered after a start, after a reset, or in a listing."""

    def after_start(self, instance, order):
        pass

    def after_reset(self, instance):
        pass

    def in_listing(self, instance):
        pass

    async def start_dynamic_instance(self, realm, template, session_id, order):
        instance = await super().start_dynamic_instance(realm, template, session_id, order)
        self.after_start(instance, order)
        return instance

    async def reset(self, realm, template, session=None, *, progress=None):
        instance = await super().reset(realm, template, session, progress=progress)
        self.after_reset(instance)
        return instance

    async def list_instances(self, realm=None):
        listing = await super().list_instances(realm)
        for instance in listing.items:
            self.in_listing(instance)
        return listing


class Eager(KitFake):
    """Does something before each start, stop or reset."""

    async def before_start(self, order, machine):
        pass

    async def before_stop(self, session, machine):
        pass

    async def before_reset(self, order, machine):
        pass

    def machine(self, session):
        return self.hypervisor.machines.get(session)

    async def start_dynamic_instance(self, realm, template, session_id, order):
        await self.before_start(order, self.machine(session_id))
        return await super().start_dynamic_instance(realm, template, session_id, order)

    async def stop_dynamic_instance(self, session_id):
        await self.before_stop(session_id, self.machine(session_id))
        await super().stop_dynamic_instance(session_id)

    async def reset(self, realm, template, session=None, *, progress=None):
        await self.before_reset(session, self.machine(session.id) if session else None)
        return await super().reset(realm, template, session, progress=progress)


@fails("a_start_returns_a_running_instance_with_an_address")
class ReturnsAnotherTemplate(Altered):
    def after_start(self, instance, order):
        instance.template = "another"


@fails("a_started_instance_is_listed_with_session_and_generation")
class ListsAnotherAddress(Altered):
    def in_listing(self, instance):
        instance.address = "10.0.0.1"


@fails("only_the_instances_of_a_realm_are_listed_when_asked_for")
class IgnoresTheRealm(KitFake):
    async def list_instances(self, realm=None):
        return await super().list_instances()


@fails("a_start_passes_the_values")
class ListsNoCreds(Altered):
    def in_listing(self, instance):
        instance.creds = ()


@fails("a_start_tells_its_stages")
class TellsNoStages(KitFake):
    async def start_dynamic_instance(self, realm, template, session_id, order):
        silent = replace(order, progress=NoProgress())
        return await super().start_dynamic_instance(realm, template, session_id, silent)


@fails("starting_twice_gives_the_same_instance", "a_start_that_is_repeated_leaves_the_machine_as_it_is")
class StartsAnewEachTime(Eager):
    async def before_start(self, order, machine):
        if machine and machine.ready and machine.generation == order.generation:
            self.hypervisor.remove(order.id)


@fails("a_start_that_is_repeated_leaves_the_machine_as_it_is")
class WipesWhatItAdopts(Eager):
    async def before_start(self, order, machine):
        if machine:
            machine.disk.clear()


@fails("two_starts_of_a_session_at_once_make_one_instance")
class MakesTwoAtOnce(Altered):
    async def start_dynamic_instance(self, realm, template, session_id, order):
        second = session_id in self.hypervisor.seen
        self.hypervisor.seen.add(session_id)
        try:
            instance = await super().start_dynamic_instance(realm, template, session_id, order)
        finally:
            self.hypervisor.seen.discard(session_id)
        instance.id = f"{instance.id}{'-bis' if second else ''}"
        return instance


@fails("sessions_have_instances_and_addresses_of_their_own")
class HasOneAddress(Altered):
    def after_start(self, instance, order):
        self.in_listing(instance)

    def after_reset(self, instance):
        self.in_listing(instance)

    def in_listing(self, instance):
        instance.address = "10.0.0.1"
        instance.endpoints = (Endpoint("ssh", "10.0.0.1", 22),)


@fails("a_start_of_a_newer_generation_takes_the_place_of_the_older")
class AdoptsAnyGeneration(KitFake):
    async def start_dynamic_instance(self, realm, template, session_id, order):
        there = self.hypervisor.machines.get(session_id)
        if there and there.generation < order.generation:
            order = replace(order, generation=there.generation)
        return await super().start_dynamic_instance(realm, template, session_id, order)


@fails("an_order_of_an_older_generation_disturbs_nothing")
class RemovesTheNewer(Eager):
    async def before_start(self, order, machine):
        if machine and machine.generation > order.generation:
            self.hypervisor.remove(order.id)
            raise Cancelled("it was newer")


@fails("a_template_that_is_not_there_is_told")
class TellsAMissingTemplateAsABuild(Eager):
    async def start_dynamic_instance(self, realm, template, session_id, order):
        if template not in self.hypervisor.templates:
            raise BuildFailed("no such file")
        return await super().start_dynamic_instance(realm, template, session_id, order)


@fails("a_start_in_a_realm_that_it_does_not_serve_is_refused")
class StartsInTheFirstRealm(KitFake):
    async def start_dynamic_instance(self, realm, template, session_id, order):
        return await super().start_dynamic_instance(self.realms[0], template, session_id, order)


@fails("an_instance_can_be_told_in_plain_values")
class NamesNoMachines(Altered):
    def after_start(self, instance, order):
        instance.machines = ()


class Starter(Eager):
    """Knows what it started itself."""

    def __init__(self, hypervisor):
        super().__init__(hypervisor)
        self.started = set()

    async def before_start(self, order, machine):
        self.started.add(order.id)


@fails("a_stop_leaves_nothing")
class LeavesTheDisk(Starter):
    async def before_stop(self, session, machine):
        if machine and machine.ready and session in self.started and session not in self.hypervisor.left:
            self.hypervisor.left.add(session)
        else:
            self.hypervisor.left.discard(session)


@fails("another_process_can_stop_it")
class StopsItsOwnOnly(Starter):
    async def stop_dynamic_instance(self, session_id):
        if session_id in self.started:
            await super().stop_dynamic_instance(session_id)


@fails("stopping_what_never_was_is_a_success")
class ComplainsOfTheUnknown(Eager):
    async def before_start(self, order, machine):
        self.hypervisor.seen.add(order.id)

    async def before_stop(self, session, machine):
        if session not in self.hypervisor.seen:
            raise InstanceNotFound(session)


@fails("stopping_twice_is_a_success")
class ComplainsOfTheGone(Eager):
    def __init__(self, hypervisor):
        super().__init__(hypervisor)
        self.stopped = set()

    async def before_stop(self, session, machine):
        if machine is None and session in self.stopped:
            raise InstanceNotFound(session)
        self.stopped.add(session)


@fails("two_stops_at_once_both_succeed")
class StopsOneAtATime(Eager):
    async def stop_dynamic_instance(self, session_id):
        if session_id in self.hypervisor.seen:
            raise Locked("another stop is under way")
        self.hypervisor.seen.add(session_id)
        try:
            await super().stop_dynamic_instance(session_id)
        finally:
            self.hypervisor.seen.discard(session_id)


@fails("a_stop_touches_no_other_session")
class StopsEverybody(Eager):
    async def before_stop(self, session, machine):
        for place, other in list(self.hypervisor.machines.items()):
            if other.ready:
                self.hypervisor.remove(place)


@fails("a_stop_wins_over_a_start_under_way")
class PassesStartsOver(Eager):
    async def stop_dynamic_instance(self, session_id):
        there = self.machine(session_id)
        if there is None or there.ready:
            await super().stop_dynamic_instance(session_id)


@fails("a_session_that_was_stopped_can_be_started_again")
class StopsForGood(Eager):
    async def before_start(self, order, machine):
        if order.id in self.hypervisor.seen:
            raise Cancelled("it was stopped")

    async def before_stop(self, session, machine):
        self.hypervisor.seen.add(session)
