"""No secret shows where it has no business: reprs, errors, logs, progress."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import structlog

from chatsubo.providers.exc import ProviderError
from chatsubo.testing.kit.asking import asks
from chatsubo.testing.kit.expecting import failure_of, raised
from chatsubo.testing.kit.ground import Ground
from chatsubo.testing.orders import Recorder, secrets_of


class Secrecy(Ground):
    """Checks of what is shown: a session's values, and what the configuration keeps secret."""

    @asks("dynamic")
    async def test_no_value_is_in_a_repr(self) -> None:
        """Reprs end in logs and stack traces."""
        order = self.order()
        instance = await self.start(order)
        template = await self.template_named(self.template)
        shown = [self.first, template, instance, *instance.flags, *instance.creds, *instance.endpoints]
        hidden_from(map(repr, shown), secrets_of(order), "a repr")
        hidden_from([str(self.first.to_json())], secrets_of(order), "the provider's to_json()")

    @asks("dynamic")
    async def test_no_value_is_in_the_progress(self) -> None:
        """Stages are shown to players; the technical output is kept."""
        recorder = Recorder()
        order = self.order(progress=recorder)
        await self.start(order)
        hidden_from(map(str, recorder.stages), secrets_of(order), "a stage")
        hidden_from([recorder.logged], secrets_of(order), "the technical output")

    @asks("dynamic")
    async def test_no_value_is_in_an_error(self) -> None:
        """Errors go to logs, and to organisers."""
        order = self.order(generation=2)
        await self.start(order)
        error = await raised(self.start(self.again(order, 1)), ProviderError)
        hidden_from(said_by(error), secrets_of(order), "an error")

    @asks("dynamic", "plant_broken")
    async def test_no_value_is_in_what_a_failed_start_says(self) -> None:
        """Builds and consoles repeat what they were given."""
        template = await self.plant_broken()
        recorder = Recorder()
        order = self.order(seconds=min(self.patience, 30), progress=recorder)
        start = self.first.start_dynamic_instance(self.realm, template, order.id, order)
        error = await raised(start, ProviderError)
        hidden_from([*said_by(error), recorder.logged, *map(str, recorder.stages)], secrets_of(order), "what it says")

    @asks("dynamic", "away")
    async def test_no_value_is_in_the_error_of_a_hypervisor_that_is_away(self) -> None:
        """A client library's error may hold the whole request."""
        order = self.order()
        await self.away()
        error = await failure_of(self.start(order))
        hidden_from(said_by(error) if error else (), secrets_of(order), "the error")

    @asks("dynamic")
    async def test_no_value_is_logged(self) -> None:
        """Whatever the level."""
        order = self.order()
        with everything_logged() as lines:
            await self.start(order)
            await self.first.list_instances()
            await self.reset(self.again(order, 2))
            await self.first.stop_dynamic_instance(order.id)
        hidden_from(lines, secrets_of(order), "the log")

    @asks("secrets")
    async def test_no_configured_secret_is_shown(self) -> None:
        """A token is in no repr, no finding, no plain values, no log."""
        with everything_logged() as lines:
            check = await self.first.check()
            await self.first.list_templates()
        hidden_from(lines, self.secrets, "the log")
        findings = [str(text) for one in check.findings for text in (one.text, one.remedy) if text]
        hidden_from([repr(self.first), str(self.first.to_json())], self.secrets, "what it tells of itself")
        hidden_from(findings, self.secrets, "a finding")

    @asks("secrets", "refuse")
    async def test_no_configured_secret_is_in_the_error_of_a_hypervisor_that_refuses_it(self) -> None:
        """Where it would be most tempting to say which."""
        await self.refuse()
        error = await failure_of(self.first.list_instances())
        hidden_from(said_by(error) if error else (), self.secrets, "the error")
        check = await self.first.check()
        hidden_from((str(finding.text) for finding in check.findings), self.secrets, "a finding")


def hidden_from(shown: Iterable[str], secrets: Iterable[str], where: str) -> None:
    """Make sure that no secret is in what is shown. The error does not repeat it.

    Raises:
        AssertionError: One is.
    """
    text = "\n".join(shown)
    assert not any(secret in text for secret in secrets), f"a secret is in {where}"


def said_by(error: ProviderError) -> list[str]:
    """Return all that an error, and what led to it, would tell in a log."""
    texts = [error.detail, str(error.text), *map(str, error.params.values())]
    chain: BaseException | None = error
    while chain is not None:
        texts += [repr(chain), str(chain)]
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    return texts


class _Listener(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(level=1)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(logging.Formatter().format(record))


@contextmanager
def everything_logged() -> Iterator[list[str]]:
    """Give a list that fills with whatever is logged, with :mod:`logging` or structlog, at any level."""
    lines: list[str] = []
    root, listener = logging.getLogger(), _Listener(lines)
    level = root.level
    root.addHandler(listener)
    root.setLevel(1)
    try:
        with structlog.testing.capture_logs() as events:
            yield lines
        lines += [str(event) for event in events]
    finally:
        root.setLevel(level)
        root.removeHandler(listener)
