"""Plugins whose methods are plain functions."""

import asyncio
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest

from chatsubo.lab.calls import bounded
from chatsubo.providers import threads
from chatsubo.providers.base import BaseInstance, BaseProvider, BaseTemplate, Check, Listing, Progress, StartOrder
from chatsubo.providers.exc import ProviderError, TimedOut, described
from chatsubo.providers.threads import HUNG_MOST, THREADS, Threads, with_plain_methods
from chatsubo.testing import make_order


class PlainProvider(BaseProvider):
    """A plugin written without a single ``await``; its check blocks until it is let go."""

    kind = "plain"

    def __init__(self) -> None:
        super().__init__(["wz01"])
        self.name = "one"
        self.go_on = threading.Event()
        self.closed = False

    @classmethod
    def from_config(cls, name: str, raw_conf: Any, vpns: Any) -> Self:  # noqa: ARG003  the contract's signature
        return cls()

    def check(self) -> Check:  # type: ignore[override]
        self.go_on.wait(60)
        return Check(reachable=True, is_dynamic=False)

    def list_templates(self) -> Listing[BaseTemplate]:  # type: ignore[override]
        self.go_on.set()
        return Listing([BaseTemplate("web", self.name)])

    def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:  # type: ignore[override]  # noqa: ARG002
        return Listing([])

    def reset(  # type: ignore[override]
        self,
        realm: str,
        template: str,
        session: StartOrder | None = None,  # noqa: ARG002
        *,
        progress: Progress | None = None,  # noqa: ARG002
    ) -> BaseInstance:
        return BaseInstance(1, threading.current_thread().name, realm, template, None)

    def aclose(self) -> None:  # type: ignore[override]
        self.closed = True


async def test_plain_methods_are_awaited_and_one_that_blocks_holds_up_no_other() -> None:
    plain = PlainProvider()
    provider = with_plain_methods(plain)
    checking = asyncio.create_task(provider.check())
    templates = await provider.list_templates()
    assert [one.name for one in templates.items] == ["web"]
    assert (await checking).reachable
    assert (await provider.reset("wz01", "web")).name.startswith("provider-one")
    await provider.aclose()
    assert plain.closed


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """What a call hangs at until the test is over."""
    event = threading.Event()
    yield event
    event.set()


async def hung(pool: Threads, hang: threading.Event, method: str = "list_templates") -> ProviderError:
    """Let one call hang until its time limit, and return how that ended."""
    with pytest.raises(ProviderError) as raised:
        await bounded(pool.run(method, lambda: hang.wait(30)), 0.02, 1)
    return raised.value


async def test_a_method_that_hangs_is_not_called_again_and_the_others_go_on(hang: threading.Event) -> None:
    pool, before = Threads("lab"), threading.active_count()
    for _ in range(HUNG_MOST):
        assert "no answer within" in (await hung(pool, hang)).detail
    refused = await hung(pool, hang)
    assert isinstance(refused, TimedOut)
    assert refused.detail.startswith("lab: 2 calls of list_templates hang, the first for 0 s; list_templates is not")
    for _ in range(3 * THREADS):
        assert await pool.run("stop_dynamic_instance", lambda: "stopped") == "stopped"
    assert threading.active_count() - before < THREADS


async def test_a_call_that_ends_late_makes_room_again(hang: threading.Event) -> None:
    pool = Threads("lab")
    for _ in range(HUNG_MOST):
        await hung(pool, hang)
    hang.set()
    async with asyncio.timeout(60):
        while True:
            try:
                assert await pool.run("list_templates", lambda: "listed") == "listed"
                break
            except TimedOut:
                await asyncio.sleep(0.01)


async def test_a_thread_that_never_ends_is_written_off_after_a_while(
    hang: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "WRITE_OFF", 0.01)
    monkeypatch.setattr(threads, "LOST_MOST", 3)
    pool = Threads("lab")
    for _ in range(3):
        await hung(pool, hang)
        await asyncio.sleep(0.05)
    for _ in range(HUNG_MOST):
        await hung(pool, hang)
        await asyncio.sleep(0.05)
    assert "calls of list_templates hang" in (await hung(pool, hang)).detail, "more than that many are not given up"


async def test_when_every_thread_hangs_the_next_call_says_so_at_once(hang: threading.Event) -> None:
    pool = Threads("lab")
    for number in range(THREADS):
        await hung(pool, hang, f"method{number}")
    with pytest.raises(TimedOut, match="8 calls of method0, method1"):
        await pool.run("reset", lambda: "reset")


async def test_no_more_calls_are_under_way_than_there_are_threads() -> None:
    pool, go_on, full, under_way, most = Threads("lab"), threading.Event(), threading.Event(), 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
            if most == THREADS:
                full.set()
        go_on.wait(10)
        with lock:
            under_way -= 1

    calls = [asyncio.create_task(pool.run("reset", work)) for _ in range(3 * THREADS)]
    assert await asyncio.to_thread(full.wait, 5)
    go_on.set()
    await asyncio.gather(*calls)
    assert most == THREADS


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), StopIteration()])
async def test_what_would_end_the_server_is_an_error_of_the_call(error: BaseException) -> None:
    def work() -> None:
        raise error

    with pytest.raises(RuntimeError, match=type(error).__name__):
        await Threads("lab").run("reset", work)


async def test_an_error_that_cannot_be_told_in_words_is_an_error_of_the_call_all_the_same() -> None:
    class Mute(SystemExit):
        def __str__(self) -> str:
            raise ValueError("no words")

    def work() -> None:
        raise Mute

    with pytest.raises(RuntimeError, match="Mute"):
        await asyncio.wait_for(Threads("lab").run("reset", work), 10)
    assert described(KeyError("host")) == "KeyError: 'host'"
    assert described(TimeoutError()) == "TimeoutError"


def logged(method: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that is plain, whatever it decorates."""

    @functools.wraps(method)
    def called(*args: Any, **kwargs: Any) -> Any:
        return method(*args, **kwargs)

    return called


async def test_an_async_method_behind_a_plain_decorator_is_awaited() -> None:
    class Decorated(PlainProvider):
        @logged
        async def list_templates(self) -> Listing[BaseTemplate]:
            assert asyncio.get_running_loop() is loop
            return Listing([BaseTemplate("web", self.name)])

    loop = asyncio.get_running_loop()
    listing = await with_plain_methods(Decorated()).list_templates()
    assert [one.name for one in listing.items] == ["web"]


async def test_a_plugin_calls_its_own_methods_as_it_wrote_them() -> None:
    class Mixed(PlainProvider):
        def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:  # type: ignore[override]  # noqa: ARG002
            names = [one.name for one in self.list_templates().items]
            return Listing([BaseInstance(1, name, "wz01", name, None) for name in names])

        async def check(self) -> Check:  # type: ignore[override]
            return Check(reachable=len(self.list_instances().items) == 1, is_dynamic=False)

    provider = with_plain_methods(Mixed())
    assert (await provider.check()).reachable
    assert [one.name for one in (await provider.list_instances()).items] == ["web"]
    assert isinstance(provider, Mixed)
    assert with_plain_methods(provider) is provider


class SlowStarter(PlainProvider):
    """A start of it goes on until it is let go, whatever the platform wants meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.acts: list[str] = []

    def start_dynamic_instance(  # type: ignore[override]
        self,
        realm: str,
        template: str,
        session_id: str,
        order: StartOrder,  # noqa: ARG002
    ) -> BaseInstance:
        self.begun.set()
        self.go_on.wait(60)
        self.acts.append("started")
        return BaseInstance(1, "web", realm, template, None, session=session_id)

    def stop_dynamic_instance(self, session_id: str) -> None:  # type: ignore[override]  # noqa: ARG002
        self.acts.append("stopped")


@pytest.mark.parametrize("how", ["deadline", "cancelled"])
async def test_what_a_plain_start_makes_after_it_was_called_off_is_stopped(how: str) -> None:
    slow = SlowStarter()
    order = make_order(seconds=3 if how == "deadline" else 60)
    call = with_plain_methods(slow).start_dynamic_instance("wz01", "web", order.id, order)
    starting = asyncio.ensure_future(call)
    assert await asyncio.to_thread(slow.begun.wait, 30)
    if how == "cancelled":
        starting.cancel()
    await asyncio.wait({starting}, timeout=0.3 + (order.seconds_left if how == "deadline" else 0))
    assert not starting.done(), "it does not wait for its thread"
    slow.go_on.set()
    with pytest.raises(TimedOut if how == "deadline" else asyncio.CancelledError):
        await starting
    assert slow.acts == ["started", "stopped"]


async def test_a_plain_start_whose_deadline_has_passed_does_not_begin() -> None:
    slow = SlowStarter()
    order = make_order(seconds=0)
    with pytest.raises(TimedOut):
        await with_plain_methods(slow).start_dynamic_instance("wz01", "web", order.id, order)
    assert not slow.begun.is_set()


async def test_a_plain_start_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "CALLING_OFF", 0.05)
    slow = SlowStarter()
    order = make_order(seconds=2)
    try:
        with pytest.raises(TimedOut):
            await with_plain_methods(slow).start_dynamic_instance("wz01", "web", order.id, order)
        assert slow.acts == ["stopped"]
    finally:
        slow.go_on.set()
