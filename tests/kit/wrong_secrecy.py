"""Providers that show secrets."""

import logging

from chatsubo.providers.base import BaseInstance
from chatsubo.providers.exc import AccessRefused, BackendConnectionException, Cancelled, NotReady, ProviderError
from tests.kit.fakes import KitFake
from tests.kit.wrong_acts import Altered
from tests.kit.wrong_weather import Starting
from tests.kit.wrongs import fails


class LoudInstance(BaseInstance):
    def __repr__(self):
        return f"<{self.name} {[flag.value for flag in self.flags]}>"


@fails("no_value_is_in_a_repr")
class HasLoudInstances(Altered):
    def after_start(self, instance, order):
        instance.__class__ = LoudInstance


@fails("no_value_is_in_the_progress")
class LogsItsEnvironment(Altered):
    def after_start(self, instance, order):
        order.progress.log(str(dict(order.values)))


class Loud(Starting):
    """Puts the values into one kind of error."""

    told: type[ProviderError] = ProviderError

    def failed(self, order, error):
        if isinstance(error, self.told):
            raise type(error)(f"environment: {dict(order.values)}") from None


@fails("no_value_is_in_an_error")
class SaysWhatItWasGiven(Loud):
    told = Cancelled


@fails("no_value_is_in_what_a_failed_start_says")
class RepeatsTheConsole(Loud):
    told = NotReady


@fails("no_value_is_in_the_error_of_a_hypervisor_that_is_away")
class RepeatsTheRequest(Loud):
    told = BackendConnectionException


@fails("no_value_is_logged")
class LogsRequests(Altered):
    def after_start(self, instance, order):
        logging.getLogger("wrong").debug("POST /machines %s", dict(order.values))


@fails("no_configured_secret_is_shown")
class ShowsItsToken(KitFake):
    def __repr__(self):
        return f"<fake with {self.token.reveal()}>"


@fails("no_configured_secret_is_in_the_error_of_a_hypervisor_that_refuses_it")
class SaysWhichTokenWasRefused(KitFake):
    async def list_instances(self, realm=None):
        try:
            return await super().list_instances(realm)
        except AccessRefused:
            raise AccessRefused(f"the token {self.token.reveal()} is not valid") from None
