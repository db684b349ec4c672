"""A hypervisor that is down, refuses, hangs, is slow, breaks off, or is not itself."""

import asyncio
import time

from chatsubo.providers.exc import AccessRefused, Advice, BackendConnectionException, ProviderError, TimedOut
from chatsubo.testing.kit.asking import asks
from chatsubo.testing.kit.expecting import ended, failure_of, raised
from chatsubo.testing.kit.ground import Ground


class Weather(Ground):
    """Checks of what a provider makes of its hypervisor's troubles."""

    async def still_works(self) -> None:
        """Make sure that the provider works again, without being made anew.

        Raises:
            AssertionError: It does not.
        """
        await self.back()
        failed = await failure_of(self.first.list_instances())
        assert failed is None, f"it works no more once the hypervisor is back: {failed}"
        assert (await self.first.check()).reachable, "its check does not see that the hypervisor is back"

    @asks("away")
    async def test_a_hypervisor_that_is_away_is_a_finding_of_its_check(self) -> None:
        """``check()`` raises nothing: it says that nobody answers."""
        await self.away()
        check = await self.first.check()
        assert not check.reachable, "it says that the hypervisor can be reached"
        assert any(not finding.ok for finding in check.findings), "no finding says what is wrong"

    @asks("away")
    async def test_listings_of_a_hypervisor_that_is_away_say_so(self) -> None:
        """With an error that advises to try again; never with an empty listing, which would read as all gone."""
        await self.away()
        error = await raised(self.first.list_instances(), BackendConnectionException, TimedOut)
        assert error.advice is Advice.RETRY, f"it advises {error.advice.value}"

    @asks("dynamic", "away")
    async def test_acts_on_a_hypervisor_that_is_away_say_so(self) -> None:
        """A start, a reset and a stop: none of them reports a success."""
        order = self.order()
        await self.start(order)
        await self.away()
        expected = (BackendConnectionException, TimedOut)
        await raised(self.start(self.order()), *expected)
        await raised(self.reset(self.again(order, 2)), *expected)
        await raised(self.first.stop_dynamic_instance(order.id), *expected)

    @asks("classic", "classic_machine", "away")
    async def test_a_classic_reset_on_a_hypervisor_that_is_away_says_so(self) -> None:
        """It does not report a success."""
        await self.classic_machine()
        await self.away()
        await raised(self.first.reset(self.realm, self.machine), BackendConnectionException, TimedOut)

    @asks("away")
    async def test_it_works_again_once_the_hypervisor_is_back(self) -> None:
        """The provider connects anew by itself."""
        await self.first.list_instances()
        await self.away()
        await failure_of(self.first.list_instances())
        await self.still_works()

    @asks("refuse")
    async def test_a_hypervisor_that_refuses_us_is_told_as_such(self) -> None:
        """An admin has to mend it: trying again would not help."""
        await self.refuse()
        error = await raised(self.first.list_instances(), AccessRefused)
        assert error.advice is Advice.ASK_ADMIN, f"it advises {error.advice.value}"

    @asks("refuse")
    async def test_a_check_of_a_hypervisor_that_refuses_us_is_a_finding(self) -> None:
        """``check()`` raises nothing."""
        await self.refuse()
        check = await self.first.check()
        assert any(not finding.ok for finding in check.findings), "no finding says what is wrong"

    @asks("hang")
    async def test_a_listing_of_a_hypervisor_that_hangs_can_be_cancelled(self) -> None:
        """The platform's time limits work by cancelling."""
        await self.hang()
        listing = asyncio.ensure_future(self.first.list_instances())
        await asyncio.wait({listing}, timeout=self.hurry / 2)
        listing.cancel()
        assert await ended(listing, self.grace), "it cannot be cancelled"

    @asks("dynamic", "hang")
    async def test_a_start_on_a_hypervisor_that_hangs_ends_at_its_deadline(self) -> None:
        """With the error that says so."""
        order = self.order(seconds=self.hurry)
        await self.hang()
        began = time.monotonic()
        await raised(self.start(order), TimedOut, BackendConnectionException)
        took = time.monotonic() - began
        assert took < self.hurry + self.grace, f"its deadline was in {self.hurry:.1f} s, it took {took:.1f} s"

    @asks("dynamic", "hang")
    async def test_a_reset_on_a_hypervisor_that_hangs_ends_at_its_deadline(self) -> None:
        """As a start does."""
        order = self.order()
        await self.start(order)
        await self.hang()
        late = self.hurried(order, 2, self.hurry)
        resetting = asyncio.ensure_future(failure_of(self.reset(late)))
        try:
            assert await ended(resetting, self.hurry + self.grace), "it goes on beyond its deadline"
        finally:
            resetting.cancel()
        assert resetting.result() is not None, "it reports a success"

    @asks("slow")
    async def test_a_slow_hypervisor_is_waited_for(self) -> None:
        """Half a second for an answer is no trouble."""
        await self.slow()
        failed = await failure_of(self.first.list_instances())
        assert failed is None, f"a listing failed: {failed}"

    @asks("halve")
    async def test_an_answer_that_breaks_off_is_an_error_and_no_empty_listing(self) -> None:
        """Half a listing would read as if half of the machines were gone."""
        await self.halve()
        await raised(self.first.list_instances(), ProviderError)
        await self.still_works()

    @asks("garble")
    async def test_an_answer_of_somebody_else_is_an_error_and_no_empty_listing(self) -> None:
        """A proxy's page of apology is no listing."""
        await self.garble()
        await raised(self.first.list_instances(), ProviderError)
        await self.still_works()

    @asks("halve")
    async def test_a_check_of_a_hypervisor_that_breaks_off_raises_nothing(self) -> None:
        """It is a finding."""
        await self.halve()
        check = await self.first.check()
        assert any(not finding.ok for finding in check.findings), "no finding says what is wrong"
