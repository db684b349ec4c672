"""Providers that do not bear a hypervisor's troubles, many at once, or a clock that jumps."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from chatsubo.domain.labels import Flag
from chatsubo.domain.text import Text
from chatsubo.providers.base import Check, Finding, Listing
from chatsubo.providers.exc import (
    AccessRefused,
    BackendConnectionException,
    Cancelled,
    NotReady,
    ProviderError,
    TimedOut,
)
from tests.kit.fakes import KitFake
from tests.kit.wrong_acts import Altered, Eager
from tests.kit.wrongs import fails


class Starting(KitFake):
    """Does something when a start fails."""

    def failed(self, order, error):
        pass

    async def start_dynamic_instance(self, realm, template, session_id, order):
        try:
            return await super().start_dynamic_instance(realm, template, session_id, order)
        except BaseException as error:
            self.failed(order, error)
            raise


@fails("a_start_that_is_cancelled_at_any_stage_leaves_nothing")
class LeavesWhatWasCancelled(Starting):
    def failed(self, order, error):
        if isinstance(error, asyncio.CancelledError):
            self.hypervisor.left.add(order.id)


@fails("a_start_that_was_cancelled_ends_as_cancelled")
class SwallowsCancels(Starting):
    def failed(self, order, error):
        if isinstance(error, asyncio.CancelledError):
            raise Cancelled("it was cancelled") from None


@fails("a_start_that_was_cancelled_can_be_made_again")
class RemembersCancels(Starting):
    def failed(self, order, error):
        if isinstance(error, asyncio.CancelledError):
            self.hypervisor.seen.add(order.id)

    async def start_dynamic_instance(self, realm, template, session_id, order):
        if session_id in self.hypervisor.seen:
            raise Cancelled("it was cancelled")
        return await super().start_dynamic_instance(realm, template, session_id, order)


@fails("a_deadline_that_has_passed_leaves_nothing")
class StartsTooLate(KitFake):
    async def start_dynamic_instance(self, realm, template, session_id, order):
        late = order if order.seconds_left else replace(order, deadline=time.monotonic() + 5)
        return await super().start_dynamic_instance(realm, template, session_id, late)


@fails("a_start_that_fails_leaves_nothing")
class LeavesWhatFailed(Starting):
    def failed(self, order, error):
        if isinstance(error, NotReady):
            self.hypervisor.left.add(order.id)


@fails("a_hypervisor_that_goes_away_at_any_stage_can_be_tidied_up_later")
class NeverTidiesUp(Starting):
    def failed(self, order, error):
        if isinstance(error, BackendConnectionException):
            self.hypervisor.left.add(order.id)


@fails("a_start_that_failed_works_once_the_hypervisor_is_back")
class GivesUpForGood(Starting):
    def failed(self, order, error):
        self.hypervisor.seen.add(order.id if isinstance(error, BackendConnectionException) else "")

    async def start_dynamic_instance(self, realm, template, session_id, order):
        if session_id in self.hypervisor.seen:
            raise ProviderError("it failed before")
        return await super().start_dynamic_instance(realm, template, session_id, order)


@fails("a_crowd_of_sessions_starts_at_once")
class MixesUpTheTenth(Altered):
    starts = 0

    def after_start(self, instance, order):
        self.starts += 1
        instance.id = "the-same" if self.starts > 9 else instance.id


@fails("a_crowd_of_sessions_starts_at_once")
class GivesTheFirstFlagsFromTheTenthOn(Altered):
    starts = 0
    first: Sequence[Flag] = ()

    def after_start(self, instance, order):
        self.starts += 1
        self.first = self.first or instance.flags
        instance.flags = self.first if self.starts > 9 else instance.flags


@fails("a_crowd_is_listed_whole_and_stopped_at_once")
class ListsOnePage(KitFake):
    async def list_instances(self, realm=None):
        listing = await super().list_instances(realm)
        return Listing(listing.items[:16], listing.rejected)


@fails("listings_work_while_machines_start_and_stop")
class StumblesOverHalfMadeOnes(Altered):
    def in_listing(self, instance):
        if not instance.running:
            raise KeyError("address")


def is_away(provider):
    return isinstance(provider.hypervisor._absence, BackendConnectionException)


@fails("a_hypervisor_that_is_away_is_a_finding_of_its_check")
class RaisesInCheck(KitFake):
    async def check(self):
        if is_away(self):
            raise BackendConnectionException("fake", "connection refused")
        return await super().check()


@fails("listings_of_a_hypervisor_that_is_away_say_so")
class ListsNothingWhenAway(KitFake):
    async def list_instances(self, realm=None):
        return Listing([]) if is_away(self) else await super().list_instances(realm)


@fails("acts_on_a_hypervisor_that_is_away_say_so")
class StopsWithoutAsking(Eager):
    async def stop_dynamic_instance(self, session_id):
        if not is_away(self):
            await super().stop_dynamic_instance(session_id)


@fails("it_works_again_once_the_hypervisor_is_back")
class StaysBroken(KitFake):
    broken = False

    async def list_instances(self, realm=None):
        self.broken = self.broken or is_away(self)
        if self.broken:
            raise BackendConnectionException("fake", "the session is closed")
        return await super().list_instances(realm)


@fails("a_hypervisor_that_refuses_us_is_told_as_such")
class TakesARefusalForAbsence(KitFake):
    async def list_instances(self, realm=None):
        try:
            return await super().list_instances(realm)
        except AccessRefused as error:
            raise BackendConnectionException("fake", error.detail) from None


@fails("a_check_of_a_hypervisor_that_refuses_us_is_a_finding")
class SeesNoRefusal(KitFake):
    async def check(self):
        if isinstance(self.hypervisor._absence, AccessRefused):
            return Check(True, True, (Finding(True, Text("The port is open.")),))
        return await super().check()


@fails("a_listing_of_a_hypervisor_that_hangs_can_be_cancelled")
class IgnoresCancels(KitFake):
    async def list_instances(self, realm=None):
        try:
            return await super().list_instances(realm)
        except asyncio.CancelledError:
            await asyncio.sleep(1)
            raise


@fails("a_start_on_a_hypervisor_that_hangs_ends_at_its_deadline")
class HasDeadlinesOfItsOwn(KitFake):
    async def start_dynamic_instance(self, realm, template, session_id, order):
        late = replace(order, deadline=order.deadline + 1) if order.seconds_left else order
        return await super().start_dynamic_instance(realm, template, session_id, late)


@fails("a_reset_on_a_hypervisor_that_hangs_ends_at_its_deadline")
class ResetsForever(KitFake):
    async def reset(self, realm, template, session=None, *, progress=None):
        late = replace(session, deadline=session.deadline + 1) if session else None
        return await super().reset(realm, template, late, progress=progress)


@fails("a_slow_hypervisor_is_waited_for")
class IsImpatient(KitFake):
    async def list_instances(self, realm=None):
        try:
            async with asyncio.timeout(0.15):
                return await super().list_instances(realm)
        except TimeoutError:
            raise TimedOut("no answer within 0.15 s") from None


class Trusting(KitFake):
    """Takes a certain bad answer for an empty one."""

    bad = ""

    async def list_instances(self, realm=None):
        try:
            return await super().list_instances(realm)
        except BackendConnectionException as error:
            if self.bad in error.detail:
                return Listing([])
            raise


@fails("an_answer_that_breaks_off_is_an_error_and_no_empty_listing")
class TrustsHalfAnAnswer(Trusting):
    bad = "breaks off"


@fails("an_answer_of_somebody_else_is_an_error_and_no_empty_listing")
class TrustsAnyAnswer(Trusting):
    bad = "no answer"


@fails("a_check_of_a_hypervisor_that_breaks_off_raises_nothing")
class BreaksOffToo(KitFake):
    async def check(self):
        check = await super().check()
        if not check.reachable and not self.hypervisor._absence:
            raise BackendConnectionException("fake", "the answer breaks off")
        return check


class Clocked(KitFake):
    """Looks at the wall clock."""

    def __init__(self, hypervisor):
        super().__init__(hypervisor)
        self.made = time.time()


@fails("a_start_works_though_the_clock_jumps_ahead")
class CountsOnTheWallClock(Clocked):
    async def start_dynamic_instance(self, realm, template, session_id, order):
        if time.time() > self.made + 600:
            raise TimedOut("ten minutes have passed")
        return await super().start_dynamic_instance(realm, template, session_id, order)


@fails("a_start_works_though_the_clock_jumps_back")
class WaitsForTheWallClock(Clocked):
    async def start_dynamic_instance(self, realm, template, session_id, order):
        if time.time() < self.made:
            raise TimedOut("it is not time yet")
        return await super().start_dynamic_instance(realm, template, session_id, order)


@fails("an_instance_stays_whatever_the_clock_says")
class RemovesWhatIsOld(Clocked):
    async def list_instances(self, realm=None):
        return Listing([]) if time.time() > self.made + 600 else await super().list_instances(realm)
