"""Calls of providers have an end."""

import asyncio

import pytest
from structlog.testing import capture_logs

from chatsubo.domain.sessions import Verb
from chatsubo.lab import calls
from chatsubo.lab.calls import bounded, close_all
from chatsubo.lab.runs import CalledOff, Run
from chatsubo.providers.exc import NotReady, ProviderError, TimedOut
from chatsubo.testing import FakeHypervisor, FakeProvider


async def test_a_call_that_takes_too_long_is_called_off_and_may_clean_up() -> None:
    cleaned = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    with pytest.raises(TimedOut):
        await bounded(slow(), limit=0.01, calling_off=5)

    assert cleaned.is_set()


async def test_a_call_that_cannot_be_cancelled_is_abandoned() -> None:
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    with pytest.raises(TimedOut):
        await bounded(stubborn(), limit=0.01, calling_off=0.01)
    release.set()


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


RAISED = (
    *(KeyError("surprise"), TimeoutError(), OSError(5, "I/O error"), Mute()),
    *(SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseExceptionGroup("many", [SystemExit(4)])),
)


@pytest.mark.parametrize("error", RAISED, ids=lambda one: type(one).__name__)
async def test_whatever_a_plugin_raises_is_a_providers_error(error: BaseException) -> None:
    async def broken() -> None:
        raise error

    with pytest.raises(ProviderError, match=type(error).__name__):
        await bounded(broken(), limit=5, calling_off=5)


async def test_a_providers_error_stays_what_it_is() -> None:
    async def fails() -> None:
        raise NotReady("port 22 is closed")

    with pytest.raises(NotReady, match="port 22 is closed"):
        await bounded(fails(), limit=5, calling_off=5)


async def test_a_run_that_is_called_off_waits_until_its_call_has_cleaned_up() -> None:
    run, begun, steps = Run("session", 1, Verb.START), asyncio.Event(), []

    async def call() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            steps.append("cleaned")

    calling = asyncio.create_task(run.call(call(), 5, 5))
    await begun.wait()
    run.call_off()
    with pytest.raises(CalledOff):
        await calling

    assert steps == ["cleaned"]
    with pytest.raises(CalledOff):
        await run.pause(60)


async def test_providers_that_cannot_close_or_hang_keep_nothing_from_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "CLOSING", 0.01)
    monkeypatch.setattr(calls, "GIVING_UP", 0.01)
    torn, closed = FakeProvider("torn", FakeHypervisor()), FakeProvider("well", FakeHypervisor())
    hanging, done = FakeProvider("hanging", FakeHypervisor()), asyncio.Event()

    async def tear() -> None:
        raise RuntimeError("torn")

    async def close() -> None:
        done.set()

    monkeypatch.setattr(torn, "aclose", tear)
    monkeypatch.setattr(closed, "aclose", close)
    monkeypatch.setattr(hanging, "aclose", asyncio.Event().wait)
    with capture_logs() as log:
        await close_all([torn, hanging, closed])
    assert done.is_set()
    assert {one["provider"] for one in log if one["event"] == "provider.not_closed"} == {"torn", "hanging"}
